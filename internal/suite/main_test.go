package suite

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	os.Setenv("no_proxy", "*") // networks in memory have no proxies but the test's
	goleak.VerifyTestMain(m)
}

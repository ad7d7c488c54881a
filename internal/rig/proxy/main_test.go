package proxy

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// All cases wait, most of them half a minute, so all of them wait at once.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "100")
	goleak.VerifyTestMain(m)
}

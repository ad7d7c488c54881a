//go:build unix

package restart

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the server; see server_test.go.
func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		runServer(mode, os.Getenv(addressVariable))
		return
	}
	goleak.VerifyTestMain(m)
}

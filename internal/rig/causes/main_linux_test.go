package causes

import (
	"os"
	"testing"

	"github.com/tandemws/tandem/internal/rig/witness"
)

// The test binary is also the program that peers in processes of their own
// run; see program_linux_test.go.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		runProgram(role)
		return
	}
	witness.Main(m)
}

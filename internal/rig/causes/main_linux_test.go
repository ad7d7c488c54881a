package causes

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the program that peers in processes of their own
// run; see program_linux_test.go. The cases wait, so all of them wait at once.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		runProgram(role)
		return
	}
	flag.Parse()
	flag.Set("test.parallel", "100")
	goleak.VerifyTestMain(m)
}

package rig

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Tandem builds the command tandem and returns the program's path. It goes away
// with the test.
func Tandem(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tandem")
	out, err := exec.Command("go", "build", "-o", path, "github.com/tandemws/tandem/cmd/tandem").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

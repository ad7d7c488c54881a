package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tandem builds the command tandem and returns the program's path. It goes away
// with the test.
func Tandem(t testing.TB) (path string) {
	t.Helper()
	return build(t, "tandem", "github.com/tandemws/tandem/cmd/tandem")
}

// Program builds a program of one file that imports this module, as Tandem does.
func Program(t testing.TB, source string) (path string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return build(t, "program", file)
}

func build(t testing.TB, name, what string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", path, what)
	cmd.Dir = moduleRoot()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

package rig

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Block returns the n-th code block of a language, from 0, of a page in
// docs/howto, so that what is written there can be run.
func Block(t testing.TB, page, language string, n int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(), "docs/howto", page))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "\n```"+language+"\n")
	if len(blocks) < n+2 {
		t.Fatalf("%s has %d blocks of %s, and not number %d", page, len(blocks)-1, language, n)
	}
	block, _, _ := strings.Cut(blocks[n+1], "\n```\n")
	return block + "\n"
}

// Replaced returns the text with replacements for what cannot be as it is
// written: pairs of old and new. Each old one has to be there.
func Replaced(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("there is no %q in\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// moduleRoot is where the module lies, whichever package is tested.
func moduleRoot() string {
	_, source, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(source), "../..")
}

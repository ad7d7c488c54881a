package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The vectors are in testdata/conformance, with a README that describes them.
const vectorDir = "../testdata/conformance"

// vectorHead is what each vector begins with.
type vectorHead struct {
	Name    string
	Section string // of RFC 6455
	Rule    string // what it says there
}

// loadVectors reads the vectors of one file. A field that the runner does not
// know is an error, for it would not be tested.
func loadVectors[V any](t testing.TB, path string, head func(V) vectorHead) []V {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorDir, path))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		About   string
		Vectors []V
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if file.About == "" || len(file.Vectors) == 0 {
		t.Fatalf("%s: nothing in it", path)
	}
	seen := make(map[string]bool)
	for _, v := range file.Vectors {
		h := head(v)
		if h.Name == "" || h.Section == "" || h.Rule == "" || seen[h.Name] {
			t.Errorf("%s: vector %+v is not named, not unique, or quotes no rule", path, h)
		}
		seen[h.Name] = true
	}
	return file.Vectors
}

// parseHex reads bytes in hexadecimal with spaces between them; a word may end
// in "*n" for n times the same.
func parseHex(t testing.TB, s string) []byte {
	b := []byte{} // never nil, which has a meaning of its own for SendPing
	for _, word := range strings.Fields(s) {
		digits, times, repeated := strings.Cut(word, "*")
		piece, err := hex.DecodeString(digits)
		n := 1
		if err == nil && repeated {
			n, err = strconv.Atoi(times)
		}
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		b = append(b, bytes.Repeat(piece, n)...)
	}
	return b
}

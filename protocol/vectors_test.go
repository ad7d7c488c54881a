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
	RFC     int    // 0: 6455
	Section string // of the RFC
	Rule    string // what it says there
}

// A compressionVector has settings of permessage-deflate.
type compressionVector struct {
	ServerNoContextTakeover bool `json:"server_no_context_takeover"`
	ClientNoContextTakeover bool `json:"client_no_context_takeover"`
	ServerMaxWindowBits     int  `json:"server_max_window_bits"`
	ClientMaxWindowBits     int  `json:"client_max_window_bits"`
}

// deflate returns the settings, with no bound where none is given; nil if there
// is no compression.
func (v *compressionVector) deflate() *Deflate {
	if v == nil {
		return nil
	}
	d := &Deflate{
		ServerNoContextTakeover: v.ServerNoContextTakeover, ClientNoContextTakeover: v.ClientNoContextTakeover,
		ServerMaxWindowBits: v.ServerMaxWindowBits, ClientMaxWindowBits: v.ClientMaxWindowBits,
	}
	for _, bits := range []*int{&d.ServerMaxWindowBits, &d.ClientMaxWindowBits} {
		if *bits == 0 {
			*bits = -1
		}
	}
	return d
}

// offered is what a client with these settings offers.
func (v *compressionVector) offered() []ClientExtensionFactory {
	if v == nil {
		return nil
	}
	return []ClientExtensionFactory{v.deflate()}
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

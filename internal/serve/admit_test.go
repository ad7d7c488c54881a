package serve

import (
	"fmt"
	"net/http"
	"testing"
)

// TestAddressesForgotten: of an address that nobody is connected from any more
// nothing is kept, and none is counted without a bound.
func TestAddressesForgotten(t *testing.T) {
	for _, most := range []int{0, 2, -1} {
		s, err := New(Face[int]{Handle: func(int) error { return nil }}, &Options{MaxConnectionsPerAddress: most})
		if err != nil {
			t.Fatal(err)
		}
		for conn := range 100 {
			from, err := s.enter(&http.Request{RemoteAddr: fmt.Sprintf("192.0.2.%d:1", conn/2)})
			if err != nil {
				t.Fatal(err)
			}
			if from.IsValid() != (most > 0) {
				t.Errorf("most %d: counted as %v", most, from)
			}
			s.conns[conn] = struct{}{}
			if most > 0 {
				s.froms[conn] = from
			}
		}
		if want := max(most, 0) * 25; len(s.from) != want {
			t.Errorf("most %d: %d addresses, want %d", most, len(s.from), want)
		}
		for conn := range 50 {
			s.remove(2 * conn)
		}
		for from, n := range s.from {
			if n != 1 {
				t.Errorf("%d connections of %v, want one", n, from)
			}
		}
		if want := max(most, 0) * 25; len(s.from) != want {
			t.Errorf("most %d: %d addresses are left, want %d", most, len(s.from), want)
		}
		for conn := range 50 {
			s.remove(2*conn + 1)
		}
		if s.active != 0 || len(s.conns)+len(s.from)+len(s.froms) != 0 {
			t.Errorf("most %d: %d active, kept %v, %v, %v", most, s.active, s.conns, s.from, s.froms)
		}
	}
}

package protocol

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What of permessage-deflate a connection ends up with, in the words of the
// tables: S and C for each direction's window, a dash where it has no context
// takeover.
func agreed(ext Extension, role Role) string {
	d := ext.(*deflate)
	server, client := d.in, d.out
	if role == Server {
		server, client = d.out, d.in
	}
	return "S" + server.String() + " C" + client.String()
}

func (d direction) String() string {
	digits := []string{"8", "9", "10", "11", "12", "13", "14", "15"}[d.bits-minWindowBits]
	if !d.takeover {
		return digits + "-"
	}
	return digits
}

// offering is a good request with the offer.
func offering(t *testing.T, offer string) *http.Request {
	t.Helper()
	r, err := (&Offer{}).Request(&url.URL{Scheme: "ws", Host: "example.com", Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if offer != "" {
		r.Header[headerExtensions] = strings.Split(offer, "|")
	}
	return r
}

// TestDeflateServer answers offers as RFC 7692, section 7.1, says. An offer
// that is not understood is declined, and the next one looked at (section 5).
func TestDeflateServer(t *testing.T) {
	const pmd = "permessage-deflate"
	wide := Deflate{ServerMaxWindowBits: -1, ClientMaxWindowBits: -1}
	for _, test := range []struct {
		settings              Deflate
		offer, answer, agreed string
	}{
		{wide, pmd, pmd, "S15 C15"},
		{wide, pmd + "; client_max_window_bits", pmd, "S15 C15"},
		{wide, pmd + "; client_max_window_bits=10", pmd + "; client_max_window_bits=10", "S15 C10"},
		{wide, pmd + "; client_max_window_bits=15", pmd + "; client_max_window_bits=15", "S15 C15"},
		{wide, pmd + "; server_max_window_bits=10", pmd + "; server_max_window_bits=10", "S10 C15"},
		{wide, pmd + `; server_max_window_bits="10"`, pmd + "; server_max_window_bits=10", "S10 C15"},
		{wide, pmd + "; server_max_window_bits=15", pmd + "; server_max_window_bits=15", "S15 C15"},
		{wide, pmd + "; server_max_window_bits=8", pmd + "; server_max_window_bits=8", "S8 C15"},
		{wide, pmd + "; server_no_context_takeover", pmd + "; server_no_context_takeover", "S15- C15"},
		{wide, pmd + "; client_no_context_takeover", pmd + "; client_no_context_takeover", "S15 C15-"},
		{
			wide, pmd + "; client_max_window_bits=9; server_max_window_bits=11; client_no_context_takeover; server_no_context_takeover",
			pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; client_max_window_bits=9", "S11- C9-",
		},

		// Python's websockets, browsers, and a client that knows no parameter.
		{Deflate{}, pmd + "; server_max_window_bits=12; client_max_window_bits=12", pmd + "; server_max_window_bits=12; client_max_window_bits=12", "S12 C12"},
		{Deflate{}, pmd + "; client_max_window_bits", pmd + "; server_max_window_bits=12; client_max_window_bits=12", "S12 C12"},
		{Deflate{}, pmd, pmd + "; server_max_window_bits=12", "S12 C15"},
		{Deflate{ClientMaxWindowBits: 9}, pmd + "; client_max_window_bits=8", pmd + "; server_max_window_bits=12; client_max_window_bits=8", "S12 C8"},
		{Deflate{ServerMaxWindowBits: 10}, pmd + "; server_max_window_bits=9", pmd + "; server_max_window_bits=9", "S9 C15"},
		{Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true}, pmd, pmd + "; server_no_context_takeover; client_no_context_takeover", "S15- C15-"},
		{Deflate{ServerNoContextTakeover: true, ServerMaxWindowBits: 12}, pmd, pmd + "; server_no_context_takeover; server_max_window_bits=12", "S12- C15"},

		// Several offers, of which the first that can be met is taken.
		{wide, pmd + "; server_max_window_bits=7, " + pmd, pmd, "S15 C15"},
		{wide, pmd + "; server_max_window_bits=9|" + pmd, pmd + "; server_max_window_bits=9", "S9 C15"},
		{wide, "x-unknown, " + pmd + ", " + pmd + "; server_no_context_takeover", pmd, "S15 C15"},

		// Section 7.1: what is declined.
		{wide, "", "", ""},
		{wide, "permessage-bzip2", "", ""},
		{wide, "Permessage-Deflate", "", ""},
		{Deflate{Disabled: true}, pmd, "", ""},
		{wide, pmd + "; unknown", "", ""},
		{wide, pmd + "; server_no_context_takeover; server_no_context_takeover", "", ""},
		{wide, pmd + "; client_no_context_takeover; client_no_context_takeover", "", ""},
		{wide, pmd + "; server_max_window_bits=9; server_max_window_bits=9", "", ""},
		{wide, pmd + "; client_max_window_bits; client_max_window_bits=9", "", ""},
		{wide, pmd + "; server_no_context_takeover=true", "", ""},
		{wide, pmd + "; client_no_context_takeover=1", "", ""},
		{wide, pmd + "; server_max_window_bits", "", ""},
		{wide, pmd + "; server_max_window_bits=7", "", ""},
		{wide, pmd + "; server_max_window_bits=16", "", ""},
		{wide, pmd + "; server_max_window_bits=08", "", ""},
		{wide, pmd + "; server_max_window_bits=+9", "", ""},
		{wide, pmd + "; server_max_window_bits=x", "", ""},
		{wide, pmd + "; client_max_window_bits=7", "", ""},
		{wide, pmd + "; client_max_window_bits=16", "", ""},
		{wide, pmd + "; client_max_window_bits=010", "", ""},
		{wide, pmd + "; client_max_window_bits=99999999999999999999", "", ""},
	} {
		a := Acceptor{Extensions: []ServerExtensionFactory{&test.settings}}
		agreement, header, err := a.Accept(offering(t, test.offer))
		if err != nil {
			t.Errorf("%s: %v", test.offer, err)
			continue
		}
		if got := strings.Join(HeaderValues(header, headerExtensions), "|"); got != test.answer {
			t.Errorf("%s: answered %q, want %q", test.offer, got, test.answer)
		}
		switch {
		case len(agreement.Extensions) > 1:
			t.Errorf("%s: %d extensions", test.offer, len(agreement.Extensions))
		case len(agreement.Extensions) == 0:
			if test.agreed != "" {
				t.Errorf("%s: declined", test.offer)
			}
		case agreed(agreement.Extensions[0], Server) != test.agreed:
			t.Errorf("%s: agreed on %s, want %s", test.offer, agreed(agreement.Extensions[0], Server), test.agreed)
		}
	}
}

// TestDeflateClient takes or refuses answers as RFC 7692, sections 5.1 and 7.1,
// say: an illegal one fails the handshake.
func TestDeflateClient(t *testing.T) {
	const pmd = "permessage-deflate"
	wide := Deflate{ServerMaxWindowBits: -1, ClientMaxWindowBits: -1}
	alone := Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	python := pmd + "; server_max_window_bits=12; client_max_window_bits=12"
	for _, test := range []struct {
		settings              Deflate
		offer, answer, agreed string // agreed: "" fails
	}{
		{Deflate{}, python, pmd + "; server_max_window_bits=12; client_max_window_bits=12", "S12 C12"},
		{Deflate{}, python, pmd + "; server_max_window_bits=9", "S9 C12"},
		{Deflate{}, python, pmd + "; server_max_window_bits=12; client_max_window_bits=8", "S12 C8"},
		{Deflate{}, python, pmd, "S15 C12"},
		{Deflate{}, python, pmd + "; server_no_context_takeover", "S15- C12"}, // aiohttp
		{Deflate{}, python, pmd + "; server_max_window_bits=12; client_no_context_takeover", "S12 C12-"},
		{Deflate{}, python, pmd + "; server_max_window_bits=13", ""},
		{Deflate{}, python, pmd + "; server_max_window_bits=12; client_max_window_bits=13", "S12 C12"}, // a hint ignored
		{Deflate{}, python, pmd + "; client_max_window_bits=15", "S15 C12"},
		{Deflate{}, python, "permessage-bzip2", ""},
		{Deflate{}, python, pmd + ", " + pmd, ""},
		{Deflate{}, python, pmd + "; unknown", ""},
		{Deflate{}, python, pmd + "; server_max_window_bits", ""},
		{Deflate{}, python, pmd + "; client_max_window_bits", ""},
		{Deflate{}, python, pmd + "; server_max_window_bits=7", ""},
		{Deflate{}, python, pmd + "; server_max_window_bits=09", ""},
		{Deflate{}, python, pmd + "; server_max_window_bits=9; server_max_window_bits=9", ""},
		{Deflate{}, python, pmd + "; server_no_context_takeover=1", ""},
		{Deflate{}, python, pmd + "; client_no_context_takeover; client_no_context_takeover", ""},

		{wide, pmd + "; client_max_window_bits", pmd, "S15 C15"},
		{wide, pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=9; server_max_window_bits=8", "S8 C9"},

		{alone, pmd + "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", pmd + "; server_no_context_takeover", "S15- C15-"},
		{alone, pmd + "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", pmd, ""},
	} {
		o := Offer{Extensions: []ClientExtensionFactory{&test.settings}}
		header := http.Header{}
		if err := o.offerExtensions(header); err != nil || strings.Join(HeaderValues(header, headerExtensions), "") != test.offer {
			t.Errorf("offers %q, %v, want %q", header, err, test.offer)
		}
		accepted, err := o.checkExtensions(map[string][]string{headerExtensions: {test.answer}})
		switch {
		case test.agreed == "":
			var failed *HandshakeError
			if !errors.As(err, &failed) || failed.Local || !errors.Is(err, ErrExtension) {
				t.Errorf("%s: %v, want a failed handshake", test.answer, err)
			}
		case err != nil || len(accepted) != 1:
			t.Errorf("%s: %v", test.answer, err)
		case agreed(accepted[0], Client) != test.agreed:
			t.Errorf("%s: agreed on %s, want %s", test.answer, agreed(accepted[0], Client), test.agreed)
		}
	}
}

// TestDeflateAllSettings has every client agree with every server, and both
// come to the same.
func TestDeflateAllSettings(t *testing.T) {
	var all []Deflate
	for _, server := range []int{-1, 0, 8, 9, 15} {
		for _, client := range []int{-1, 0, 8, 14} {
			for takeover := range 4 {
				all = append(all, Deflate{
					ServerMaxWindowBits: server, ClientMaxWindowBits: client,
					ServerNoContextTakeover: takeover&1 != 0, ClientNoContextTakeover: takeover&2 != 0,
				})
			}
		}
	}
	for _, ours := range all {
		for _, theirs := range all {
			client, server := negotiated(t, &ours, &theirs)
			if client.in != server.out {
				t.Fatalf("%+v, %+v: server sends with %v, client expects %v", ours, theirs, server.out, client.in)
			}
			// What the client sends, the server must be able to read.
			if client.out.bits > server.in.bits || client.out.takeover && !server.in.takeover {
				t.Fatalf("%+v, %+v: client sends with %v, server expects %v", ours, theirs, client.out, server.in)
			}
		}
	}
}

// TestDeflateValidate refuses what could never be agreed on.
func TestDeflateValidate(t *testing.T) {
	for _, d := range []Deflate{{ServerMaxWindowBits: 7}, {ClientMaxWindowBits: 16}, {Level: 10}, {Level: -1}} {
		var failed *HandshakeError
		if err := d.Validate(); !errors.As(err, &failed) || !failed.Local || !errors.Is(err, ErrExtension) {
			t.Errorf("%+v: %v", d, err)
		}
	}
	for _, d := range []Deflate{{}, {ServerMaxWindowBits: 8, ClientMaxWindowBits: 15, Level: 9}, {ServerMaxWindowBits: -1}} {
		if err := d.Validate(); err != nil {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

// FuzzDeflateNegotiation: no answer of ours is one that our client refuses, and
// nothing panics.
func FuzzDeflateNegotiation(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "permessage-deflate")
	f.Add("permessage-deflate; server_max_window_bits=9, x", "permessage-deflate; server_max_window_bits=8")
	f.Fuzz(func(t *testing.T, offer, answer string) {
		a := Acceptor{Extensions: []ServerExtensionFactory{new(Deflate)}}
		accepted, value, err := a.acceptExtensions(map[string][]string{headerExtensions: {offer}})
		if err == nil && (value == "") != (len(accepted) == 0) {
			t.Fatalf("%q: %d extensions, answer %q", offer, len(accepted), value)
		}
		o := Offer{Extensions: []ClientExtensionFactory{new(Deflate)}}
		if list, err := o.checkExtensions(map[string][]string{headerExtensions: {answer}}); err == nil && len(list) != 1 {
			t.Fatalf("%q: %d extensions", answer, len(list))
		}
	})
}

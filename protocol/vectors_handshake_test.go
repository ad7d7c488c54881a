package protocol

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// A requestVector says what a server answers to a request.
type requestVector struct {
	vectorHead
	Subprotocols []string           // the server's
	Origins      []string           // that it allows
	Compression  *compressionVector // the server's settings; nil: none
	TLS          bool
	Lines        []string // of the request

	Status      int
	Breaks      string            // the section that a refused request breaks
	Subprotocol string            // that is agreed
	Windows     string            // of the compression that is agreed; "" for none
	Header      map[string]string // part of the response's
}

// TestRequestVectors executes each vector in all cuts, too: net/http reads the
// request, and nothing may depend on how it did.
func TestRequestVectors(t *testing.T) {
	for _, v := range loadRequestVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			inAllCuts(t, v.Lines, func(r *bufio.Reader) {
				req, err := http.ReadRequest(r)
				if err != nil {
					t.Fatalf("net/http: %v", err)
				}
				if v.TLS {
					req.TLS = new(tls.ConnectionState)
				}
				v.check(t, req)
			})
		})
	}
}

func (v *requestVector) check(t *testing.T, req *http.Request) {
	a := &Acceptor{Subprotocols: v.Subprotocols, Origins: v.Origins}
	if d := v.Compression.deflate(); d != nil {
		a.Extensions = []ServerExtensionFactory{d}
	}
	agreement, header, err := a.Accept(req)
	status, breaks := http.StatusSwitchingProtocols, ""
	if err != nil {
		he := err.(*HandshakeError)
		if he.Local {
			t.Errorf("the caller is to blame: %v", err)
		}
		status, breaks, header = he.Status, he.Section, he.Header
	}
	if breaks != v.Breaks {
		t.Errorf("%v breaks section %q, want %q", err, breaks, v.Breaks)
	}
	if status != v.Status || agreement.Subprotocol != v.Subprotocol {
		t.Errorf("status %d, subprotocol %q, %v; want %d, %q", status, agreement.Subprotocol, err, v.Status, v.Subprotocol)
	}
	if got := windows(agreement, Server); got != v.Windows {
		t.Errorf("windows %q, want %q", got, v.Windows)
	}
	for name, want := range v.Header {
		if got := strings.Join(header[name], ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// What nobody asked for must not be answered (section 4.2.2).
	for _, name := range []string{headerProtocol, headerExtensions} {
		if _, listed := v.Header[name]; !listed && header[name] != nil {
			t.Errorf("the answer has %s %q", name, header[name])
		}
	}
}

// windows describes the compression that one side has agreed on.
func windows(agreement Agreement, role Role) string {
	if len(agreement.Extensions) == 0 {
		return ""
	}
	d := agreement.Extensions[0].(*deflate)
	server, client := d.in, d.out
	if role == Server {
		server, client = d.out, d.in
	}
	describe := func(d direction) string {
		if d.takeover {
			return strconv.Itoa(int(d.bits))
		}
		return strconv.Itoa(int(d.bits)) + " without takeover"
	}
	return "server " + describe(server) + ", client " + describe(client)
}

// A responseVector says what a client makes of a response to the key of
// section 1.3.
type responseVector struct {
	vectorHead
	Subprotocols []string           // the client's
	Compression  *compressionVector // the client's settings; nil: none
	Lines        []string           // of the response

	Accepted    bool
	Breaks      string // the section that a refused response breaks
	Subprotocol string // that is agreed
	Windows     string // of the compression that is agreed; "" for none
	Status      int    // of an InvalidStatusError
}

func TestResponseVectors(t *testing.T) {
	for _, v := range loadResponseVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			offer := sampleOffer(Offer{Subprotocols: v.Subprotocols, Extensions: v.Compression.offered()})
			req, err := offer.Request(parseURL(t, "ws://server.example.com/chat"))
			if err != nil {
				t.Fatal(err)
			}
			inAllCuts(t, v.Lines, func(r *bufio.Reader) {
				resp, err := http.ReadResponse(r, req)
				if err != nil {
					t.Fatalf("net/http: %v", err)
				}
				v.check(t, offer, req, resp)
			})
		})
	}
}

func (v *responseVector) check(t *testing.T, offer *Offer, req *http.Request, resp *http.Response) {
	agreement, err := offer.CheckResponse(req, resp)
	if accepted := err == nil; accepted != v.Accepted || agreement.Subprotocol != v.Subprotocol {
		t.Errorf("%+v, %v; want accepted %t, subprotocol %q", agreement, err, v.Accepted, v.Subprotocol)
	}
	if got := windows(agreement, Client); got != v.Windows {
		t.Errorf("windows %q, want %q", got, v.Windows)
	}
	status, breaks := 0, ""
	switch e := err.(type) {
	case *InvalidStatusError:
		status = e.Response.StatusCode
	case *HandshakeError:
		breaks = e.Section
	}
	if status != v.Status || breaks != v.Breaks {
		t.Errorf("%v is about status %d and section %q, want %d and %q", err, status, breaks, v.Status, v.Breaks)
	}
}

// inAllCuts has read read a message of HTTP whole, byte by byte, and cut at
// each place.
func inAllCuts(t *testing.T, lines []string, read func(*bufio.Reader)) {
	wire := []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
	in := func(pieces [][]byte) {
		readers := make([]io.Reader, len(pieces))
		for i, piece := range pieces {
			readers[i] = bytes.NewReader(piece)
		}
		read(bufio.NewReader(io.MultiReader(readers...))) // reads one piece at a time
	}
	in(whole(wire))
	in(byteByByte(wire))
	for at := range wire {
		if in(cutAt(wire, at)); t.Failed() {
			t.Fatalf("cut at %d", at)
		}
	}
}

// An offerVector says what a client asks for.
type offerVector struct {
	vectorHead
	URL          string
	Subprotocols []string
	Compression  *compressionVector
	Header       map[string]string

	Request []string // its lines, in any order but the first
	Refused bool     // nothing is asked
}

func TestOfferVectors(t *testing.T) {
	for _, v := range loadVectors(t, "handshake/offers.json", func(v offerVector) vectorHead { return v.vectorHead }) {
		t.Run(v.Name, func(t *testing.T) {
			header := make(http.Header)
			for name, value := range v.Header {
				header[name] = []string{value}
			}
			offer := sampleOffer(Offer{Subprotocols: v.Subprotocols, Extensions: v.Compression.offered(), Header: header})
			req, err := offer.Request(parseURL(t, v.URL))
			if v.Refused {
				wantLocalError(t, err, ErrHandshake)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v.check(t, req)
		})
	}
}

func (v *offerVector) check(t *testing.T, req *http.Request) {
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		t.Fatalf("net/http: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(wire.String(), "\r\n\r\n"), "\r\n")
	if lines[0] != v.Request[0] {
		t.Errorf("first line %q, want %q", lines[0], v.Request[0])
	}
	got, want := make(map[string]int), make(map[string]int)
	for _, line := range lines[1:] {
		got[line]++
	}
	for _, line := range v.Request[1:] {
		want[line]++
	}
	for line, n := range want {
		if got[line] != n {
			t.Errorf("%d times %q, want %d", got[line], line, n)
		}
		delete(got, line)
	}
	for line := range got {
		t.Errorf("the request also says %q", line)
	}
}

func loadRequestVectors(t testing.TB) []requestVector {
	t.Helper()
	return loadVectors(t, "handshake/requests.json", func(v requestVector) vectorHead { return v.vectorHead })
}

func loadResponseVectors(t testing.TB) []responseVector {
	t.Helper()
	return loadVectors(t, "handshake/responses.json", func(v responseVector) vectorHead { return v.vectorHead })
}

package protocol

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The vectors are in testdata/protocol, with a README that describes them.
const vectorDir = "../testdata/protocol"

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

// A frameVector says what a Conn makes of what happens to it.
type frameVector struct {
	vectorHead
	Role           string
	MaxMessageSize int64 `json:"max_message_size"`
	Steps          []vectorStep
	Events         []vectorEvent
	Output         []string // frames in hexadecimal, or "close CODE" for one with any reason
}

// A vectorStep is one thing that happens: one of its fields but the last four
// is set.
type vectorStep struct {
	Receive   *string
	Text      *string
	TextBytes *string `json:"text_bytes"`
	Binary    *string
	Fragment  *string
	Ping      *string
	Pong      *string
	Close     CloseCode
	Reason    string // of Close
	Type      string // of Fragment
	Fin       bool   // of Fragment
	Refused   bool   // the Conn refuses to do it
}

// A vectorEvent is what a Conn returns.
type vectorEvent struct {
	Text      *string
	Binary    *string
	Ping      *string
	Pong      *string
	Settles   []PingID // of Pong
	Close     CloseCode
	Reason    string // of Close
	Violation CloseCode
	Section   string // of Violation
}

// TestFrameVectors executes each vector whole, byte by byte, and cut at each
// place; of inputs over 1 KiB, at each of the first and last hundred.
func TestFrameVectors(t *testing.T) {
	for _, file := range frameVectorFiles(t) {
		for _, v := range loadFrameVectors(t, file) {
			t.Run(strings.TrimSuffix(file, ".json")+"/"+v.Name, func(t *testing.T) {
				v.run(t, whole)
				v.run(t, byteByByte)
				for at := range v.longest(t) {
					v.run(t, func(b []byte) [][]byte {
						if len(b) > 1<<10 && at > 100 && at < len(b)-100 {
							return whole(b)
						}
						return cutAt(b, at)
					})
					if t.Failed() {
						t.Fatalf("cut at %d", at)
					}
				}
			})
		}
	}
}

func frameVectorFiles(t testing.TB) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectorDir, "frames", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

func loadFrameVectors(t testing.TB, file string) []frameVector {
	t.Helper()
	return loadVectors(t, "frames/"+file, func(v frameVector) vectorHead { return v.vectorHead })
}

func loadRequestVectors(t testing.TB) []requestVector {
	t.Helper()
	return loadVectors(t, "handshake/requests.json", func(v requestVector) vectorHead { return v.vectorHead })
}

func loadResponseVectors(t testing.TB) []responseVector {
	t.Helper()
	return loadVectors(t, "handshake/responses.json", func(v responseVector) vectorHead { return v.vectorHead })
}

// longest returns the number of places where the inputs are cut.
func (v *frameVector) longest(t *testing.T) (n int) {
	for _, step := range v.Steps {
		if step.Receive != nil {
			n = max(n, len(parseHex(t, *step.Receive)))
		}
	}
	if n > 1<<10 {
		n = 201 // the ends of so long an input are the same with each cut behind the first hundred
	}
	return n
}

func (v *frameVector) run(t *testing.T, cut func([]byte) [][]byte) {
	role := v.role(t)
	c := NewConn(Config{Role: role, MaxMessageSize: v.MaxMessageSize, MaskKeys: zeroKeys{}})
	d := newDriver(t, c)
	for _, step := range v.Steps {
		if step.Receive != nil {
			d.run(cut(parseHex(t, *step.Receive))...)
			continue
		}
		out, err := step.do(t, c, d.output)
		if refused := err != nil; refused != step.Refused {
			t.Errorf("step %+v: error %v, want one: %t", step, err, step.Refused)
		}
		d.output = out
		d.sendOwed()
	}
	v.checkEvents(t, d)
	v.checkOutput(t, d.output)
}

func (v *frameVector) role(t testing.TB) Role {
	for _, role := range []Role{Client, Server} {
		if v.Role == role.String() {
			return role
		}
	}
	t.Fatalf("role %q", v.Role)
	return 0
}

// do has the Conn send something.
func (s *vectorStep) do(t *testing.T, c *Conn, out []byte) ([]byte, error) {
	switch {
	case s.Text != nil:
		return c.AppendMessage(out, Text, []byte(*s.Text))
	case s.TextBytes != nil:
		return c.AppendMessage(out, Text, parseHex(t, *s.TextBytes))
	case s.Binary != nil:
		return c.AppendMessage(out, Binary, parseHex(t, *s.Binary))
	case s.Fragment != nil:
		typ := Text
		if s.Type == Binary.String() {
			typ = Binary
		}
		return c.AppendFragment(out, typ, s.Fin, parseHex(t, *s.Fragment))
	case s.Ping != nil:
		_, err := c.SendPing(parseHex(t, *s.Ping))
		return out, err
	case s.Pong != nil:
		return out, c.SendPong(parseHex(t, *s.Pong))
	case s.Close != 0:
		return out, c.SendClose(s.Close, s.Reason)
	}
	t.Fatalf("step %+v says nothing", s)
	return out, nil
}

func (v *frameVector) checkEvents(t *testing.T, d *driver) {
	want := make([]string, len(v.Events))
	for i, ev := range v.Events {
		want[i] = ev.describe(t, d)
	}
	d.wantEvents(want...)
}

// describe says the event in the words of the driver.
func (ev *vectorEvent) describe(t *testing.T, d *driver) string {
	switch {
	case ev.Text != nil:
		return "text " + brief(*ev.Text)
	case ev.Binary != nil:
		return "binary " + brief(string(parseHex(t, *ev.Binary)))
	case ev.Ping != nil:
		return "ping " + brief(string(parseHex(t, *ev.Ping)))
	case ev.Pong != nil:
		settled := make([]Settled, len(ev.Settles)) // in the moment in which all happens
		for i, id := range ev.Settles {
			settled[i].ID = id
		}
		return fmt.Sprintf("pong %s settles %v", brief(string(parseHex(t, *ev.Pong))), settled)
	case ev.Close != 0:
		return fmt.Sprintf("close %v", Close{ev.Close, ev.Reason})
	}
	// How we put a violation is for no vector to say.
	got, ok := d.c.Violation().(*ViolationError)
	if !ok || got.Code != ev.Violation || got.Section != ev.Section {
		return fmt.Sprintf("violation with code %v of section %s", ev.Violation, ev.Section)
	}
	return fmt.Sprintf("violation %v", got)
}

// checkOutput compares frame by frame.
func (v *frameVector) checkOutput(t *testing.T, output []byte) {
	for _, want := range v.Output {
		h, size, err := ParseHeader(output)
		if err != nil || size == 0 || int64(len(output)-size) < h.Length {
			t.Fatalf("output ends with %x, want %s", output, want)
		}
		end := size + int(h.Length)
		frame, payload := output[:end], output[size:end]
		output = output[end:]
		if code, ok := strings.CutPrefix(want, "close "); ok {
			c, err := parseClose(payload)
			if err != nil || h.Opcode != OpClose || strconv.Itoa(int(c.Code)) != code {
				t.Errorf("sent %x, %v, want %s", frame, err, want)
			}
		} else if !bytes.Equal(frame, parseHex(t, want)) {
			t.Errorf("sent %.100x, want %.100s", frame, want)
		}
	}
	if len(output) > 0 {
		t.Errorf("sent %x at the end, want no more", output)
	}
}

// parseHex reads bytes in hexadecimal with spaces between them; a word may end
// in "*n" for n times the same.
func parseHex(t testing.TB, s string) (b []byte) {
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

// A requestVector says what a server answers to a request.
type requestVector struct {
	vectorHead
	Subprotocols []string // the server's
	Origins      []string // that it allows
	TLS          bool
	Lines        []string // of the request

	Status      int
	Subprotocol string            // that is agreed
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
	agreement, header, err := a.Accept(req)
	status := http.StatusSwitchingProtocols
	if err != nil {
		he := err.(*HandshakeError)
		if he.Local {
			t.Errorf("the caller is to blame: %v", err)
		}
		status, header = he.Status, he.Header
	}
	if status != v.Status || agreement.Subprotocol != v.Subprotocol {
		t.Errorf("status %d, subprotocol %q, %v; want %d, %q", status, agreement.Subprotocol, err, v.Status, v.Subprotocol)
	}
	for name, want := range v.Header {
		if got := strings.Join(header[name], ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, listed := v.Header[headerProtocol]; !listed && header[headerProtocol] != nil {
		t.Errorf("a subprotocol was chosen: %q", header[headerProtocol])
	}
}

// A responseVector says what a client makes of a response to the key of
// section 1.3.
type responseVector struct {
	vectorHead
	Subprotocols []string // the client's
	Lines        []string // of the response

	Accepted    bool
	Subprotocol string // that is agreed
	Status      int    // of an InvalidStatusError
}

func TestResponseVectors(t *testing.T) {
	for _, v := range loadResponseVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			offer := sampleOffer(Offer{Subprotocols: v.Subprotocols})
			req, err := offer.Request(parseURL(t, "ws://server.example.com/chat"))
			if err != nil {
				t.Fatal(err)
			}
			inAllCuts(t, v.Lines, func(r *bufio.Reader) {
				resp, err := http.ReadResponse(r, req)
				if err != nil {
					t.Fatalf("net/http: %v", err)
				}
				agreement, err := offer.CheckResponse(req, resp)
				if accepted := err == nil; accepted != v.Accepted || agreement.Subprotocol != v.Subprotocol {
					t.Errorf("%+v, %v; want accepted %t, subprotocol %q", agreement, err, v.Accepted, v.Subprotocol)
				}
				status := 0
				if se, ok := err.(*InvalidStatusError); ok {
					status = se.Response.StatusCode
				}
				if status != v.Status {
					t.Errorf("an error about status %d, want %d: %v", status, v.Status, err)
				}
			})
		})
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
			offer := sampleOffer(Offer{Subprotocols: v.Subprotocols, Header: header})
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

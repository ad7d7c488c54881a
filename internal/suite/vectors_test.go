package suite

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// The vectors of testdata/conformance are run by package protocol, all of them.
// Here those that make sense between two ends run again through the faces: what
// the protocol decides must be what the peer and the application see.

const vectorDir = "../../testdata/conformance"

// vectors reads the vectors of one file.
func vectors[V any](t *testing.T, path string) []V {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorDir, path))
	ok(t, err)
	var file struct{ Vectors []V }
	ok(t, json.Unmarshal(b, &file))
	if len(file.Vectors) == 0 {
		t.Fatalf("%s: nothing in it", path)
	}
	return file.Vectors
}

// compressionVector has settings of permessage-deflate.
type compressionVector struct {
	ServerNoContextTakeover bool `json:"server_no_context_takeover"`
	ClientNoContextTakeover bool `json:"client_no_context_takeover"`
	ServerMaxWindowBits     int  `json:"server_max_window_bits"`
	ClientMaxWindowBits     int  `json:"client_max_window_bits"`
}

func (v *compressionVector) deflate() protocol.Deflate {
	if v == nil {
		return protocol.Deflate{Disabled: true}
	}
	bits := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return protocol.Deflate{
		ServerNoContextTakeover: v.ServerNoContextTakeover, ClientNoContextTakeover: v.ClientNoContextTakeover,
		ServerMaxWindowBits: bits(v.ServerMaxWindowBits), ClientMaxWindowBits: bits(v.ClientMaxWindowBits),
	}
}

// slowConn reads a byte at a time, whatever the transport has.
type slowConn struct{ net.Conn }

func (c slowConn) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(1, len(p))]) }

type slowListener struct{ net.Listener }

func (l slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return slowConn{conn}, nil
}

func listenTCP(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	return l
}

// requestVector says what a server answers to a request.
type requestVector struct {
	Name                  string
	Subprotocols, Origins []string
	Compression           *compressionVector
	TLS                   bool
	Lines                 []string
	Status                int
	Header                map[string]string
}

// TestRequestVectors sends each request over TCP, to servers that read it whole
// and byte by byte: through net/http it has the status that package protocol
// gives it.
func TestRequestVectors(t *testing.T) {
	for _, face := range Faces {
		for _, v := range vectors[requestVector](t, "handshake/requests.json") {
			if v.TLS {
				continue // what TLS adds is the scheme of the origin
			}
			t.Run(face.Name()+"/"+v.Name, func(t *testing.T) {
				v.run(t, face, func(l net.Listener) net.Listener { return l })
				v.run(t, face, func(l net.Listener) net.Listener { return slowListener{l} })
			})
		}
	}
}

func (v *requestVector) run(t *testing.T, face Face, read func(net.Listener) net.Listener) {
	l := listenTCP(t)
	server, err := face.Serve(echoing, "", &Options{
		Listener: read(l), Protocol: v.Subprotocols, Origins: v.Origins, Compression: v.Compression.deflate(),
	})
	ok(t, err)
	defer server.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	ok(t, err)
	defer conn.Close()
	ok(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, strings.Join(v.Lines, "\r\n")+"\r\n\r\n")
	ok(t, err)
	method, _, _ := strings.Cut(v.Lines[0], " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	ok(t, err)
	if resp.StatusCode != v.Status {
		t.Fatalf("status %d, want %d", resp.StatusCode, v.Status)
	}
	for name, want := range v.Header {
		if got := strings.Join(resp.Header.Values(name), ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// responseVector says what a client makes of a response.
type responseVector struct {
	Name         string
	Subprotocols []string
	Compression  *compressionVector
	Lines        []string
	Accepted     bool
	Subprotocol  string
	Status       int
}

// TestResponseVectors has clients connect over TCP to a server that sends the
// response, and read it whole and byte by byte.
func TestResponseVectors(t *testing.T) {
	for _, face := range Faces {
		for _, v := range vectors[responseVector](t, "handshake/responses.json") {
			t.Run(face.Name()+"/"+v.Name, func(t *testing.T) {
				v.run(t, face, func(c net.Conn) net.Conn { return c })
				v.run(t, face, func(c net.Conn) net.Conn { return slowConn{c} })
			})
		}
	}
}

func (v *responseVector) run(t *testing.T, face Face, read func(net.Conn) net.Conn) {
	l := listenTCP(t)
	defer l.Close()
	answered := make(chan error, 1)
	go func() { answered <- v.answer(l) }()
	ours, err := net.Dial("tcp", l.Addr().String())
	ok(t, err)
	opts := &Options{NetConn: read(ours), Protocol: v.Subprotocols, Compression: v.Compression.deflate()}
	opts.Keepalive.Interval = noPings
	conn, err := face.Connect("ws://"+l.Addr().String()+"/", opts)
	if accepted := err == nil; accepted != v.Accepted {
		t.Errorf("Connect: %v; want accepted %t", err, v.Accepted)
	}
	if refused := as[*protocol.InvalidStatusError](err); v.Status != 0 && (refused == nil || refused.Response.StatusCode != v.Status) {
		t.Errorf("Connect: %v, want status %d", err, v.Status)
	}
	if err == nil {
		if conn.Subprotocol() != v.Subprotocol {
			t.Errorf("subprotocol %q, want %q", conn.Subprotocol(), v.Subprotocol)
		}
		conn.CloseNow()
	}
	ok(t, <-answered)
}

// answer sends the response to one request, with the proof for its key in place
// of that for the key of the vectors.
func (v *responseVector) answer(l net.Listener) error {
	const proof = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	_, header, err := new(protocol.Acceptor).Accept(req)
	if err != nil {
		return err
	}
	response := strings.Join(v.Lines, "\r\n") + "\r\n\r\n"
	response = strings.ReplaceAll(response, proof, protocol.HeaderValues(header, "Sec-WebSocket-Accept")[0])
	if _, err = io.WriteString(conn, response); err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	io.Copy(io.Discard, conn) // until the client has closed
	return err
}

// frameVector says what a connection makes of what it receives.
type frameVector struct {
	Name, Role       string
	Compression      *compressionVector
	MaxMessageSize   int64 `json:"max_message_size"`
	MaxFragments     int   `json:"max_fragments"`
	MaxControlFrames int   `json:"max_control_frames"`
	MessageTimeout   int64 `json:"message_timeout"`
	Steps            []map[string]any
	Events           []struct{ Text, Binary *string }
	Output           []string
}

// An arrival is what the peer sends, and how long it waits before.
type arrival struct {
	after time.Duration
	data  []byte
}

// receives returns the input of a vector that has nothing but an input; only
// these make sense over the faces, where it is the application that sends.
func (v *frameVector) receives(t *testing.T) (input []arrival, only bool) {
	var after time.Duration
	for _, step := range v.Steps {
		received, isInput := step["receive"].(string)
		wait, isPause := step["wait"].(float64)
		switch {
		case len(step) != 1 || !isInput && !isPause:
			return nil, false
		case isPause:
			after = time.Duration(wait) * time.Millisecond
		default:
			input = append(input, arrival{after, unhex(t, received)})
			after = 0
		}
	}
	return input, true
}

// TestFrameVectors has each end of both faces receive the input of a vector:
// the peer gets the output and the application the messages.
func TestFrameVectors(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectorDir, "frames", "*.json"))
	ok(t, err)
	run := 0
	for _, path := range paths {
		for _, v := range vectors[frameVector](t, "frames/"+filepath.Base(path)) {
			input, only := v.receives(t)
			if !only {
				continue
			}
			run++
			t.Run(filepath.Base(path)+"/"+v.Name, func(t *testing.T) {
				EachEnd(t, func(t *testing.T, e End) {
					if e.Role.String() == v.Role {
						synctest.Test(t, func(t *testing.T) { v.run(t, e, input) })
					}
				})
			})
		}
	}
	if run < 100 {
		t.Errorf("only %d vectors were run", run)
	}
}

func (v *frameVector) run(t *testing.T, e End, input []arrival) {
	e.Options.MaxMessageSize, e.Options.MaxFragments = v.MaxMessageSize, v.MaxFragments
	e.Options.MaxControlFrames = v.MaxControlFrames
	e.Options.MessageTimeout = time.Duration(v.MessageTimeout) * time.Millisecond
	e.Options.Compression = v.Compression.deflate()
	if peer := v.Compression.deflate(); !peer.Disabled {
		e.Peer = []face.Extension{&peer}
	}
	conn, raw := e.Against(t)
	received := make(chan string, 1)
	go func() { received <- receiveAll(conn) }()
	go func() { // the answer may come before all is written
		for _, piece := range input {
			time.Sleep(piece.after)
			raw.Write(piece.data)
		}
	}()
	for _, want := range v.Output {
		h, payload, err := raw.Next()
		if got := frameText(h, payload); err != nil || got != wantFrame(t, want) {
			t.Fatalf("received %s, %v; want %s", got, err, wantFrame(t, want))
		}
	}
	time.Sleep(time.Minute) // whatever else may come
	raw.Close()
	synctest.Wait()
	conn.CloseNow()
	if got, want := <-received, v.messages(t); got != want {
		t.Errorf("the application received %.200s\n\twant %.200s", got, want)
	}
}

func (v *frameVector) messages(t *testing.T) (all string) {
	for _, event := range v.Events {
		switch {
		case event.Text != nil:
			all += fmt.Sprintf("text %q\n", *event.Text)
		case event.Binary != nil:
			all += fmt.Sprintf("binary %q\n", unhex(t, *event.Binary))
		}
	}
	return all
}

func receiveAll(conn Conn) (all string) {
	for {
		m, err := conn.Recv(0)
		if err != nil {
			return all
		}
		all += fmt.Sprintf("%v %q\n", m.Type, m.Data)
	}
}

// wantFrame describes the frame of a vector: bytes, or "close CODE" for one
// with any reason.
func wantFrame(t *testing.T, s string) string {
	if code, isClose := strings.CutPrefix(s, "close "); isClose {
		return "close " + code
	}
	b := unhex(t, s)
	h, size, err := protocol.ParseHeader(b)
	ok(t, err)
	payload := b[size:]
	protocol.Mask(payload, payload, h.Mask, 0)
	return frameText(h, string(payload))
}

// frameText describes a frame but for its masking key, and a close frame by its
// code.
func frameText(h protocol.Header, payload string) string {
	if h.Opcode == protocol.OpClose && len(payload) >= 2 {
		return "close " + strconv.Itoa(int(payload[0])<<8|int(payload[1]))
	}
	return fmt.Sprintf("%v %t %q", h.Opcode, h.Fin, payload)
}

// unhex reads bytes as the vectors have them: in hexadecimal, with spaces, and
// "*n" behind what is there n times.
func unhex(t *testing.T, s string) (b []byte) {
	t.Helper()
	for _, word := range strings.Fields(s) {
		digits, times, repeated := strings.Cut(word, "*")
		piece, err := hex.DecodeString(digits)
		ok(t, err)
		n := 1
		if repeated {
			n, err = strconv.Atoi(times)
			ok(t, err)
		}
		b = append(b, strings.Repeat(string(piece), n)...)
	}
	return b
}

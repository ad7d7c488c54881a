package suite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// An End is one side of one face, to be tested against a [Raw] peer.
type End struct {
	Face    Face
	Role    protocol.Role
	Options Options
	Peer    []face.Extension // that the peer negotiates
}

// EachEnd runs test as a subtest for the client and the server of each face.
// Keepalive is off unless the test sets it: the peer would get pings that it
// does not expect.
func EachEnd(t *testing.T, test func(t *testing.T, e End)) {
	for _, face := range Faces {
		for _, role := range []protocol.Role{protocol.Client, protocol.Server} {
			t.Run(face.Name()+"-"+role.String(), func(t *testing.T) {
				e := End{Face: face, Role: role}
				e.Options.Keepalive.Interval = noPings
				test(t, e)
			})
		}
	}
}

// noPings turns keepalive off, as an interval.
const noPings = -1

// Raw is a peer that a test plays by hand, byte by byte and against all rules
// if need be. Its opening handshake is over.
type Raw struct {
	net.Conn
	role   protocol.Role // the peer's
	in     *bufio.Reader
	speaks []face.Extension     // that it negotiates; what it sends is for the test to encode
	agreed []protocol.Extension // what came of that
}

func newRaw(conn net.Conn, role protocol.Role) *Raw {
	return &Raw{Conn: conn, role: role, in: bufio.NewReader(conn)}
}

// Serving plays the server for a client that connect opens over a transport in
// memory, for tests of what only one face has.
func Serving(t *testing.T, connect func(ours net.Conn) error) *Raw {
	t.Helper()
	ours, theirs := link.NewPipe()
	t.Cleanup(func() { theirs.Close() })
	raw := newRaw(theirs, protocol.Server)
	var accepting sync.WaitGroup
	accepting.Go(func() { raw.accept(t) })
	if err := connect(ours); err != nil {
		t.Fatal(err)
	}
	accepting.Wait()
	return raw
}

// Against connects the end to a raw peer over an in-memory transport. Both are
// closed with the test.
func (e End) Against(t *testing.T) (Conn, *Raw) {
	t.Helper()
	ours, theirs := link.NewPipe()
	return e.AgainstOver(t, ours, theirs)
}

// AgainstOver is Against over the two ends of a given transport.
func (e End) AgainstOver(t *testing.T, ours, theirs net.Conn) (Conn, *Raw) {
	t.Helper()
	t.Cleanup(func() { theirs.Close() })
	ours = transport(ours)
	if e.Role == protocol.Client {
		raw := newRaw(theirs, protocol.Server)
		raw.speaks = e.Peer
		return e.connect(t, ours, raw), raw
	}
	raw := newRaw(theirs, protocol.Client)
	raw.speaks = e.Peer
	return e.accept(t, ours, raw), raw
}

// connect opens the end's client while the raw peer accepts.
func (e End) connect(t *testing.T, ours net.Conn, raw *Raw) Conn {
	var accepting sync.WaitGroup
	accepting.Go(func() { raw.accept(t) })
	e.Options.NetConn = ours
	conn, err := e.Face.Connect("ws://tandem.test/", &e.Options)
	if err != nil {
		t.Fatal(err)
	}
	accepting.Wait()
	t.Cleanup(conn.CloseNow)
	return conn
}

// accept opens the end's server while the raw peer connects.
func (e End) accept(t *testing.T, ours net.Conn, raw *Raw) Conn {
	accepted := make(chan Conn, 1)
	e.Options.Listener = newListener(ours)
	serving, err := e.Face.Serve(func(conn Conn) error {
		accepted <- conn
		<-conn.Done()
		return nil
	}, "", &e.Options)
	if err != nil {
		t.Fatal(err)
	}
	raw.connect(t)
	conn := <-accepted
	t.Cleanup(func() {
		conn.CloseNow()
		serving.Shutdown(time.Second)
	})
	return conn
}

// accept answers the opening handshake as a server.
func (r *Raw) accept(t *testing.T) {
	req, err := http.ReadRequest(r.in)
	if err != nil {
		t.Error(err)
		return
	}
	acceptor := new(protocol.Acceptor)
	for _, ext := range r.speaks {
		acceptor.Extensions = append(acceptor.Extensions, ext)
	}
	agreement, header, err := acceptor.Accept(req)
	if err != nil {
		t.Error(err)
		return
	}
	r.agreed = agreement.Extensions
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err == nil {
		_, err = r.Write(response)
	}
	if err != nil {
		t.Error(err)
	}
}

// connect performs the opening handshake as a client.
func (r *Raw) connect(t *testing.T) {
	t.Helper()
	offer := new(protocol.Offer)
	for _, ext := range r.speaks {
		offer.Extensions = append(offer.Extensions, ext)
	}
	req, err := offer.Request(&url.URL{Scheme: "ws", Host: "tandem.test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := req.Write(r); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r.in, req)
	if err != nil {
		t.Fatal(err)
	}
	agreement, err := offer.CheckResponse(req, resp)
	if err != nil {
		t.Fatal(err)
	}
	r.agreed = agreement.Extensions
}

// Frame returns a frame as the peer's role sends it.
func (r *Raw) Frame(op protocol.Opcode, fin bool, payload string) []byte {
	h := protocol.Header{Fin: fin, Opcode: op, Length: int64(len(payload))}
	if r.role == protocol.Client {
		h.Masked, h.Mask = true, [4]byte{0xa5, 0x5a, 0x0f, 0xf0}
	}
	frame := protocol.AppendHeader(nil, h)
	frame = append(frame, payload...)
	if h.Masked {
		masked := frame[len(frame)-len(payload):]
		protocol.Mask(masked, masked, h.Mask, 0)
	}
	return frame
}

// Text returns a text message in one frame.
func (r *Raw) Text(text string) []byte { return r.Frame(protocol.OpText, true, text) }

// CloseFrame returns a close frame.
func (r *Raw) CloseFrame(code protocol.CloseCode, reason string) []byte {
	return r.Frame(protocol.OpClose, true, closePayload(code, reason))
}

func closePayload(code protocol.CloseCode, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// Send writes the frames in one go.
func (r *Raw) Send(t *testing.T, frames ...[]byte) {
	t.Helper()
	if _, err := r.Write(bytes.Join(frames, nil)); err != nil {
		t.Fatalf("raw peer: %v", err)
	}
}

// Next reads the next frame, whatever it is, with its payload unmasked.
func (r *Raw) Next() (h protocol.Header, payload string, err error) {
	var size int
	for n := 2; size == 0; n++ {
		b, err := r.in.Peek(n)
		if err != nil {
			return h, "", err
		}
		if h, size, err = protocol.ParseHeader(b); err != nil {
			return h, "", err
		}
	}
	r.in.Discard(size)
	data := make([]byte, h.Length)
	_, err = io.ReadFull(r.in, data)
	if h.Masked {
		protocol.Mask(data, data, h.Mask, 0)
	}
	return h, string(data), err
}

// Expect reads the next frame, which is to be this one.
func (r *Raw) Expect(t *testing.T, op protocol.Opcode, payload string) {
	t.Helper()
	h, got, err := r.Next()
	if err != nil || h.Opcode != op || got != payload {
		t.Fatalf("raw peer: received %v %.80q, %v; want %v %.80q", h.Opcode, got, err, op, payload)
	}
}

// ExpectClose reads the next frame, which is to be this close frame.
func (r *Raw) ExpectClose(t *testing.T, code protocol.CloseCode, reason string) {
	t.Helper()
	r.Expect(t, protocol.OpClose, closePayload(code, reason))
}

// ExpectEnd reads until the end of the transport, where nothing more may come.
func (r *Raw) ExpectEnd(t *testing.T) {
	t.Helper()
	if h, payload, err := r.Next(); err != io.EOF {
		t.Fatalf("raw peer: received %v %.80q, %v; want the end", h.Opcode, payload, err)
	}
}

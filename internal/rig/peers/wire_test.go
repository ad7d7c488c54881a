package peers

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/protocol"
)

// scripts are the paths of the two sessions that are compared: on the first the
// client drives and the server sends messages back, on the second it is the
// other way round. So each side is seen to begin, to answer, to ping, to be
// pinged, to close and to be closed.
var scripts = []string{"/echo", "/drive"}

// TestWire compares what Tandem sends with what Debian's python3-websockets
// sends in the same place, byte for byte but for what must differ or may:
// see transcript. Neither side compresses.
func TestWire(t *testing.T) {
	rig.Need(t, python, pythonModules+"websockets")
	pythonServer := program(python, "server_websockets.py")(t).address
	for _, path := range scripts {
		for _, f := range face.Both {
			t.Run(f.Name()+" client"+path, func(t *testing.T) {
				tap := newTap(t, pythonServer)
				want := pythonSession(t, tap, path)
				got := tandemSession(t, tap, f, path)
				compare(t, transcript(t, want.client, nil), transcript(t, got.client, nil))
			})
			t.Run(f.Name()+" server"+path, func(t *testing.T) {
				tap := newTap(t, pythonServer)
				want := pythonSession(t, tap, path)
				tap.pointAt(serve(t, f, wireHandler, plain()))
				got := pythonSession(t, tap, path)
				compare(t, transcript(t, want.server, want.client), transcript(t, got.server, got.client))
			})
		}
	}
}

// pythonSession has Python's client connect through the tap.
func pythonSession(t *testing.T, tap *tap, path string) *session {
	t.Helper()
	p := rig.Start(t, command(python, "wire_client.py", "ws://"+tap.address()+path), nil)
	if err := p.Wait(); err != nil {
		t.Fatalf("the client in Python: %v\n%s", err, p.Log())
	}
	return tap.next(t)
}

// tandemSession has our client connect through the tap.
func tandemSession(t *testing.T, tap *tap, f face.Face, path string) *session {
	t.Helper()
	c, err := connect(t, f, "ws://"+tap.address()+path, plain())
	if err != nil {
		t.Fatal(err)
	}
	if err := play(c, path == "/echo"); err != nil {
		t.Fatal(err)
	}
	return tap.next(t)
}

// wireHandler is our server's side of the scripts.
func wireHandler(c conn, u *url.URL) error { return play(c, u.Path == "/drive") }

// play performs one side of a script.
func play(c conn, drives bool) error {
	if drives {
		return drive(c)
	}
	err := echo(c)
	if errors.Is(err, protocol.ErrClosedOK) {
		return nil
	}
	return err
}

// drive is wire_script.py in Go.
func drive(c conn) error {
	for _, m := range []protocol.Message{
		protocol.TextMessage("hello"),
		protocol.TextMessage(""),
		protocol.BinaryMessage(make([]byte, 200)),
		protocol.BinaryMessage(make([]byte, 70000)),
	} {
		if err := c.Send(m); err != nil {
			return err
		}
		if _, err := c.Recv(); err != nil {
			return err
		}
	}
	if err := c.PingAndWait("are you there?"); err != nil {
		return err
	}
	return c.CloseWith(protocol.NormalClosure, "done")
}

// echo sends messages back until the connection ends, and returns how.
func echo(c conn) error {
	for {
		m, err := c.Recv()
		if err != nil {
			return err
		}
		if err := c.Send(m); err != nil {
			return err
		}
	}
}

// A transcript is what one side has sent, a line for the start of its HTTP
// message, each header field and each frame. Not in it are the order of the
// fields, the masks (payloads are unmasked), and the fields of incidental. Of a
// server's answer, Sec-WebSocket-Accept is replaced by whether it is the right
// one for the key of the request.
func transcript(t *testing.T, sent, request []byte) (lines []string) {
	t.Helper()
	head, frames, err := split(sent)
	if err != nil {
		t.Fatal(err)
	}
	first, fields := header(head)
	if request != nil {
		judgeAccept(t, fields, request)
	}
	for name, values := range fields {
		if !slices.Contains(incidental, http.CanonicalHeaderKey(name)) {
			lines = append(lines, fmt.Sprintf("%s: %q", name, values))
		}
	}
	slices.Sort(lines)
	lines = slices.Insert(lines, 0, first)
	for _, f := range frames {
		lines = append(lines, f.String())
	}
	return lines
}

// incidental are the header fields that differ by their nature. Names are
// compared as they are spelt, but for these.
var incidental = []string{"Sec-Websocket-Key", "User-Agent", "Server", "Date"}

// judgeAccept checks the answer to the request's key (RFC 6455, section 4.2.2).
func judgeAccept(t *testing.T, fields map[string][]string, request []byte) {
	t.Helper()
	head, _, err := split(request)
	if err != nil {
		t.Fatal(err)
	}
	_, asked := header(head)
	const name = "Sec-WebSocket-Accept"
	sum := sha1.Sum([]byte(strings.Join(asked["Sec-WebSocket-Key"], "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if right := base64.StdEncoding.EncodeToString(sum[:]); slices.Equal(fields[name], []string{right}) {
		fields[name] = []string{"right"}
	}
}

// header takes the head of an HTTP message apart. Names stay as they are spelt.
func header(head string) (first string, fields map[string][]string) {
	first, rest, _ := strings.Cut(head, "\r\n")
	fields = map[string][]string{}
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = append(fields[name], value)
	}
	return first, fields
}

// compare shows two transcripts that differ, line by line.
func compare(t *testing.T, python, tandem []string) {
	t.Helper()
	if slices.Equal(python, tandem) {
		t.Logf("%d lines are the same:\n  %s", len(python), strings.Join(python, "\n  "))
		return
	}
	var b strings.Builder
	for i := range max(len(python), len(tandem)) {
		p, g := line(python, i), line(tandem, i)
		if p == g {
			fmt.Fprintf(&b, "  %s\n", p)
			continue
		}
		fmt.Fprintf(&b, "- %s\n+ %s\n", p, g)
	}
	t.Errorf("the bytes on the wire differ (- python3-websockets, + Tandem):\n%s", b.String())
}

// line returns a line of a transcript, or that there is none.
func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A frameVector says what a Conn makes of what happens to it.
type frameVector struct {
	vectorHead
	Role             string
	Compression      *compressionVector // that was agreed on
	MaxMessageSize   int64              `json:"max_message_size"`
	MaxFragments     int                `json:"max_fragments"`
	MaxControlFrames int                `json:"max_control_frames"`
	MessageTimeout   int64              `json:"message_timeout"` // in milliseconds
	Steps            []vectorStep
	Events           []vectorEvent
	Output           []string  // see checkOutput
	CloseCode        CloseCode `json:"close_code"` // of the connection in the end, if not 0
}

// A vectorStep is one thing that happens: one of its fields but the last five
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
	Fail      CloseCode
	Wait      *int64 // milliseconds
	End       bool   // the transport ends
	Reason    string // of Close or Fail
	Type      string // of Fragment
	Fin       bool   // of Fragment
	Compress  *bool  // of what begins a message
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

// longInput is the size in bytes of an input that is cut only near its ends:
// at the first places, among them all of a header, and at the last.
const (
	longInput = 1 << 10
	firstCuts = 20
	lastCuts  = 20
)

// TestFrameVectors executes each vector whole, byte by byte, and cut at each
// place.
func TestFrameVectors(t *testing.T) {
	for _, file := range frameVectorFiles(t) {
		for _, v := range loadFrameVectors(t, file) {
			t.Run(strings.TrimSuffix(file, ".json")+"/"+v.Name, func(t *testing.T) {
				v.run(t, whole)
				v.run(t, byteByByte)
				for i := range v.places(t) {
					v.run(t, func(b []byte) [][]byte { return cutAtPlace(b, i) })
					if t.Failed() {
						t.Fatalf("cut at place %d", i)
					}
				}
			})
		}
	}
}

// places returns at how many places the inputs are cut.
func (v *frameVector) places(t *testing.T) (n int) {
	for _, step := range v.Steps {
		if step.Receive == nil {
			continue
		}
		size := len(parseHex(t, *step.Receive))
		if size > longInput {
			size = firstCuts + lastCuts
		}
		n = max(n, size)
	}
	return n
}

func cutAtPlace(b []byte, i int) [][]byte {
	if len(b) > longInput && i >= firstCuts {
		i += len(b) - firstCuts - lastCuts
	}
	return cutAt(b, i)
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

func (v *frameVector) run(t *testing.T, cut func([]byte) [][]byte) {
	ours, theirs := v.extensions(t)
	c := NewConn(Config{
		Role: v.role(t), Extensions: ours, MaskKeys: zeroKeys{},
		MaxMessageSize: v.MaxMessageSize, MaxFragments: v.MaxFragments, MaxControlFrames: v.MaxControlFrames,
		MessageTimeout: time.Duration(v.MessageTimeout) * time.Millisecond,
	})
	d := newDriver(t, c)
	for _, step := range v.Steps {
		switch {
		case step.Receive != nil:
			d.run(cut(parseHex(t, *step.Receive))...)
			continue
		case step.Wait != nil:
			d.now = d.now.Add(time.Duration(*step.Wait) * time.Millisecond)
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
	v.checkOutput(t, d.output, theirs)
	if got := c.CloseError().Code(); v.CloseCode != 0 && got != v.CloseCode {
		t.Errorf("the connection's close code is %v, want %v", got, v.CloseCode)
	}
}

// vectorPool hands on from each run to the next what it gives back, after a
// violation too: whatever goes over with it shows.
var vectorPool = onePool{}

// extensions returns those of the Conn, and those with which its peer reads.
func (v *frameVector) extensions(t *testing.T) (ours, theirs []Extension) {
	if v.Compression == nil {
		return nil, nil
	}
	d := v.Compression.deflate()
	d.Pools = vectorPool
	client, server := negotiated(t, d, d)
	if v.role(t) == Client {
		return []Extension{client}, []Extension{server}
	}
	return []Extension{server}, []Extension{client}
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
	if s.Compress != nil {
		c.Compress(map[bool]Compression{true: CompressOn, false: CompressOff}[*s.Compress])
	}
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
	case s.Fail != 0:
		c.Fail(s.Fail, s.Reason, errors.New("the application failed it"))
		return out, nil
	case s.End:
		c.Disconnected(io.EOF)
		return out, nil
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

// checkOutput compares frame by frame with bytes in hexadecimal, with "close
// CODE" for a close frame with any reason, and with "compressed BYTE BYTES" for
// a frame that begins with the byte and decompresses to the others.
func (v *frameVector) checkOutput(t *testing.T, output []byte, peer []Extension) {
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
		} else if plain, ok := strings.CutPrefix(want, "compressed "); ok {
			checkCompressed(t, frame, payload, h.Fin, peer[0], parseHex(t, plain))
		} else if !bytes.Equal(frame, parseHex(t, want)) {
			t.Errorf("sent %.100x, want %.100s", frame, want)
		}
	}
	if len(output) > 0 {
		t.Errorf("sent %x at the end, want no more", output)
	}
}

// checkCompressed has the peer decompress a frame. Of what ends the message the
// last four bytes were removed (RFC 7692, section 7.2.1).
func checkCompressed(t *testing.T, frame, payload []byte, fin bool, peer Extension, want []byte) {
	got, err := peer.Decode(nil, bytes.Clone(payload), fin, math.MaxInt)
	if err != nil || frame[0] != want[0] || !bytes.Equal(got, want[1:]) {
		t.Errorf("sent %.100x, %v, which is %x %.100x, want %.100x", frame, err, frame[0], got, want)
	}
	if fin && bytes.HasSuffix(payload, flushTail) {
		t.Errorf("sent %x with its tail", frame)
	}
}

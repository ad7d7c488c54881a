package protocol

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

// failedWith reports whether the peer broke the protocol, and the close code
// that tells it so.
func failedWith(c *Conn) CloseCode {
	var v *ViolationError
	if errors.As(c.Violation(), &v) {
		return v.Code
	}
	return 0
}

// receiveAt gives bytes to c and looks at all that comes of them.
func receiveAt(c *Conn, at time.Duration, b []byte) {
	c.Received(epoch.Add(at), 0, bytes.Clone(b))
	for c.Next().Kind != EventNone {
	}
}

// TestEndlessFragments sends fragments without end, empty ones and those of one
// byte: the message fails at the bound, and not before.
func TestEndlessFragments(t *testing.T) {
	for name, tt := range map[string]struct {
		max, accepted int
		payload       string
	}{
		"empty":            {0, DefaultMaxFragments, ""},
		"1 byte":           {0, DefaultMaxFragments, "x"},
		"less":             {3, 3, ""},
		"one":              {1, 1, ""},
		"without a bound":  {-1, 2 * DefaultMaxFragments, ""},
		"more than normal": {2 * DefaultMaxFragments, 2 * DefaultMaxFragments, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewConn(Config{Role: Server, MaxFragments: tt.max})
			receiveAt(c, 0, stream(Server, wireFrame{op: OpBinary, more: true, payload: tt.payload}))
			next := stream(Server, wireFrame{more: true, payload: tt.payload})
			for range tt.accepted - 1 {
				receiveAt(c, 0, next)
			}
			if code := failedWith(c); code != 0 {
				t.Fatalf("%v within the bound", code)
			}
			receiveAt(c, 0, stream(Server, wireFrame{payload: tt.payload}))
			if code := failedWith(c); tt.max >= 0 && code != PolicyViolation || tt.max < 0 && code != 0 {
				t.Errorf("code %v one fragment later", code)
			}
		})
	}
}

// TestFragmentsAreCountedAnew in each message, control frames in between not
// being counted.
func TestFragmentsAreCountedAnew(t *testing.T) {
	c := NewConn(Config{Role: Client, MaxFragments: 2})
	for range 3 {
		receiveAt(c, 0, stream(Client, wireFrame{op: OpText, more: true}, wireFrame{op: OpPing}, wireFrame{op: OpPong}, wireFrame{}))
	}
	if err := c.Violation(); err != nil {
		t.Error(err)
	}
}

// TestControlFlood spends the allowance of control frames at different paces.
func TestControlFlood(t *testing.T) {
	const normal = DefaultMaxControlFrames
	for name, tt := range map[string]struct {
		max   int
		every time.Duration
		sent  int // before one that is too many; 0: it never comes
	}{
		"at once":                {0, 0, normal},
		"as fast as allowed":     {0, time.Second / normal, 0},
		"twice as fast":          {0, time.Second / (2 * normal), 2*normal - 1},
		"once a second":          {1, time.Second, 0},
		"two where one is":       {1, time.Second / 2, 1},
		"without a bound":        {-1, 0, 0},
		"when one comes back":    {10, 99 * time.Millisecond, 901}, // each costs 1 ms more than it earns
		"faster than can be":     {2e9, 0, 0},
		"a little less than can": {1e9, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewConn(Config{Role: Server, MaxControlFrames: tt.max})
			ping := stream(Server, wireFrame{op: OpPing})
			sent := 0
			for ; sent < 5*normal && c.Violation() == nil; sent++ {
				receiveAt(c, time.Duration(sent)*tt.every, ping)
				owed(t, c, epoch)
			}
			switch code := failedWith(c); {
			case tt.sent == 0 && code != 0:
				t.Errorf("%v after %d", code, sent)
			case tt.sent > 0 && (code != PolicyViolation || sent != tt.sent+1):
				t.Errorf("code %v for number %d, want it for %d", code, sent, tt.sent+1)
			}
		})
	}
}

// TestCloseIsNoFlood takes a close frame when the allowance is spent, and pongs
// count as pings do.
func TestCloseIsNoFlood(t *testing.T) {
	c := NewConn(Config{Role: Server, MaxControlFrames: 2})
	receiveAt(c, 0, stream(Server, wireFrame{op: OpPing}, wireFrame{op: OpPong}, wireFrame{op: OpClose}))
	if c.CloseReceived() == nil || c.Violation() != nil {
		t.Errorf("received %v, %v", c.CloseReceived(), c.Violation())
	}
	c = NewConn(Config{Role: Server, MaxControlFrames: 2})
	receiveAt(c, 0, stream(Server, wireFrame{op: OpPing}, wireFrame{op: OpPong}, wireFrame{op: OpPong}))
	if code := failedWith(c); code != PolicyViolation {
		t.Errorf("code %v", code)
	}
}

// TestAllowanceSurvivesInit carries the allowance on when Init makes the
// connection again: a pause between pings earns what it earns, no more.
func TestAllowanceSurvivesInit(t *testing.T) {
	cfg := Config{Role: Server, MaxControlFrames: 10}
	c := NewConn(cfg)
	ping := stream(Server, wireFrame{op: OpPing})
	sent := 0
	for ; failedWith(c) == 0 && sent < 1000; sent++ {
		receiveAt(c, time.Duration(sent)*time.Millisecond, ping)
		owed(t, c, epoch)
		if !c.Idle() {
			continue // it has failed
		}
		cfg.ControlsFrom = c.ControlsFrom()
		c.Init(Config{Role: Client, MaxControlFrames: 1})
		c.Init(cfg)
	}
	if sent != 11 {
		t.Errorf("failed with ping %d, want 11", sent)
	}
	c = NewConn(cfg)
	receiveAt(c, time.Minute, stream(Server, wireFrame{op: OpText}))
	if at := c.ControlsFrom(); !at.IsZero() {
		t.Errorf("the allowance is whole, and to be so %v from now", at.Sub(epoch))
	}
}

// TestEndSurvivesInit: a connection that has ended can be made again, and then
// says how it did and does nothing more.
func TestEndSurvivesInit(t *testing.T) {
	for _, cause := range []error{nil, io.ErrUnexpectedEOF} {
		c := NewConn(Config{Role: Server})
		if cause == nil {
			receiveAt(c, 0, stream(Server, wireFrame{op: OpClose, payload: "\x03\xe8"}))
			owed(t, c, epoch)
		}
		c.Disconnected(cause)
		want := c.CloseError()
		c.Init(Config{Role: Client})
		c.Init(Config{Role: Server, Ended: want})
		if got := c.CloseError(); *got != *want || c.State() != Closed {
			t.Errorf("%v: %v, want %v", c.State(), got, want)
		}
		c.Fail(InternalError, "late", nil)
		receiveAt(c, 0, stream(Server, wireFrame{op: OpText, payload: "late"}))
		if got := c.CloseError(); *got != *want || c.Owed() {
			t.Errorf("later it says %v", got)
		}
		c.Init(Config{Role: Server})
		if c.State() != Open || c.CloseError().Rcvd != nil {
			t.Errorf("a new connection is %v", c.State())
		}
	}
}

// TestPausedEarns accepts as many control frames at once as may have come while
// the driver did not read, and no more.
func TestPausedEarns(t *testing.T) {
	c := NewConn(Config{Role: Server, MaxControlFrames: 10})
	c.Paused(2 * time.Second)
	ping := stream(Server, wireFrame{op: OpPing})
	sent := 0
	for ; failedWith(c) == 0 && sent < 1000; sent++ {
		receiveAt(c, time.Minute, ping)
		owed(t, c, epoch)
	}
	if sent != 31 {
		t.Errorf("failed with ping %d, want 31", sent)
	}
}

// TestMessageTimeout has a message drip in, and pongs between its fragments,
// which are signs of life and yet not of this message's end.
func TestMessageTimeout(t *testing.T) {
	begin := wireFrame{op: OpBinary, more: true, payload: "x"}
	for name, next := range map[string]func(i int) []byte{
		"pongs":     func(int) []byte { return stream(Server, wireFrame{op: OpPong}) },
		"fragments": func(int) []byte { return stream(Server, wireFrame{more: true, payload: "x"}) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, streaming := range []bool{false, true} {
				c := NewConn(Config{Role: Server, MessageTimeout: 10 * time.Second})
				c.Streaming(streaming)
				receiveAt(c, 0, stream(Server, begin))
				for i := 1; i <= 10; i++ {
					receiveAt(c, time.Duration(i)*time.Second, next(i))
				}
				if code := failedWith(c); code != 0 {
					t.Fatalf("%v within the time", code)
				}
				receiveAt(c, 11*time.Second, next(11))
				if code := failedWith(c); code != PolicyViolation {
					t.Errorf("code %v too late", code)
				}
			}
		})
	}
}

// TestMessageTimeoutInFrame has one frame drip in, into memory of the message
// itself; the next message has all the time again.
func TestMessageTimeoutInFrame(t *testing.T) {
	frame := stream(Client, wireFrame{op: OpBinary, payload: string(make([]byte, 5000))})
	c := NewConn(Config{Role: Client, MessageTimeout: 10 * time.Second})
	receiveAt(c, 0, frame[:4000])
	receiveAt(c, 10*time.Second, frame[4000:])
	receiveAt(c, 20*time.Second, frame[:4000])
	receiveAt(c, 30*time.Second, nil)
	if code := failedWith(c); code != 0 {
		t.Fatal(code)
	}
	n := copy(c.Window(), frame[4000:])
	c.Received(epoch.Add(31*time.Second), n, nil)
	if ev := c.Next(); ev.Kind != EventViolation || failedWith(c) != PolicyViolation {
		t.Errorf("event %+v, code %v", ev, failedWith(c))
	}
}

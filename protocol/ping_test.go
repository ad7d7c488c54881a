package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// receivePong gives the Conn, a client's, a pong and returns what it settled.
func receivePong(t *testing.T, c *Conn, now time.Time, payload string) []Settled {
	t.Helper()
	c.Received(now, 0, stream(Client, wireFrame{op: OpPong, payload: payload}))
	if ev := c.Next(); ev.Kind != EventPong || string(ev.Data) != payload {
		t.Fatalf("event %+v, want a pong with %q", ev, payload)
	}
	settled := slices.Clone(c.Settled())
	if ev := c.Next(); ev.Kind != EventNone {
		t.Fatalf("event %+v behind a pong", ev)
	}
	return settled
}

func sendPing(t *testing.T, c *Conn, payload string) PingID {
	t.Helper()
	id, err := c.SendPing([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// owed takes what is owed at a time.
func owed(t *testing.T, c *Conn, now time.Time) []byte {
	t.Helper()
	b, err := c.AppendOwed(nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if c.Owed() {
		t.Fatal("something is owed behind AppendOwed")
	}
	return b
}

func TestPingPong(t *testing.T) {
	c := newTestConn(Client)
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	check := func(what string, got []Settled, want ...Settled) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s settles %v, want %v", what, got, want)
		}
	}

	a := sendPing(t, c, "a")
	check("a pong for a ping that was not sent yet", receivePong(t, c, at(0), "a"))
	owed(t, c, at(1)) // the round trip begins here, not with SendPing
	check("a pong with another payload", receivePong(t, c, at(2), "A"))
	check("an unsolicited pong", receivePong(t, c, at(2), ""))
	check("a pong with the beginning of the payload", receivePong(t, c, at(2), "\x00"))
	check("its pong", receivePong(t, c, at(4), "a"), Settled{a, 3 * time.Second})
	check("the same pong again", receivePong(t, c, at(5), "a"))

	b := sendPing(t, c, "b")
	owed(t, c, at(10))
	cc := sendPing(t, c, "a longer payload that does not fit")
	owed(t, c, at(20))
	d := sendPing(t, c, "")
	owed(t, c, at(30))
	e := sendPing(t, c, "e")
	owed(t, c, at(40))
	// Section 5.5.3: a peer may answer only the latest of several pings.
	check("a pong for the second of four", receivePong(t, c, at(50), "a longer payload that does not fit"),
		Settled{b, 40 * time.Second}, Settled{cc, 30 * time.Second})
	check("a late pong for the first of them", receivePong(t, c, at(51), "b"))
	check("a pong for the last", receivePong(t, c, at(52), "e"), Settled{d, 22 * time.Second}, Settled{e, 12 * time.Second})
	if want := []PingID{1, 2, 3, 4, 5}; !slices.Equal([]PingID{a, b, cc, d, e}, want) {
		t.Errorf("IDs %v, want %v", []PingID{a, b, cc, d, e}, want)
	}
}

// TestPingOrder has a pong come for a ping that was sent while a younger one
// was not: the younger stays.
func TestPingOrder(t *testing.T) {
	c := newTestConn(Client)
	a := sendPing(t, c, "a")
	owed(t, c, epoch)
	b := sendPing(t, c, "b")
	if got := receivePong(t, c, epoch, "b"); len(got) != 0 {
		t.Errorf("a guessed pong settles %v", got)
	}
	if got := receivePong(t, c, epoch, "a"); !slices.Equal(got, []Settled{{a, 0}}) {
		t.Errorf("pong for a settles %v", got)
	}
	if out, want := owed(t, c, epoch), unhex(t, "89 81 00000000 62"); !bytes.Equal(out, want) {
		t.Errorf("sent %x, want the ping b: %x", out, want)
	}
	if got := receivePong(t, c, epoch, "b"); !slices.Equal(got, []Settled{{b, 0}}) {
		t.Errorf("pong for b settles %v", got)
	}
}

// TestPingBound sends more pings than are remembered: the oldest are
// forgotten, whether they were sent or not.
func TestPingBound(t *testing.T) {
	const extra = 10
	for _, sent := range []bool{true, false} {
		t.Run(fmt.Sprintf("sent=%t", sent), func(t *testing.T) {
			c := newTestConn(Client)
			for i := range maxPendingPings + extra {
				sendPing(t, c, fmt.Sprintf("payload %d", i))
				if sent {
					owed(t, c, epoch)
				}
			}
			if n := len(c.pings.pending); n != maxPendingPings {
				t.Errorf("%d pings are remembered, want %d", n, maxPendingPings)
			}
			out := owed(t, c, epoch)
			if frames := bytes.Count(out, []byte("payload")); !sent && frames != maxPendingPings {
				t.Errorf("%d of the unsent pings go out, want %d", frames, maxPendingPings)
			}
			if got := receivePong(t, c, epoch, "payload 9"); len(got) != 0 {
				t.Errorf("a forgotten ping's pong settles %v", got)
			}
			if got := receivePong(t, c, epoch, "payload 10"); len(got) != 1 || got[0].ID != extra+1 {
				t.Errorf("the oldest remembered ping's pong settles %v, want ID %d", got, extra+1)
			}
			last := fmt.Sprintf("payload %d", maxPendingPings+extra-1)
			if got := receivePong(t, c, epoch, last); len(got) != maxPendingPings-1 {
				t.Errorf("the newest ping's pong settles %d, want %d", len(got), maxPendingPings-1)
			}
			if _, err := c.SendPing([]byte("payload 1")); err != nil { // its payload is free again
				t.Errorf("a forgotten ping's payload: %v", err)
			}
		})
	}
}

func TestSendPingErrors(t *testing.T) {
	c := newTestConn(Client)
	if _, err := c.SendPing(make([]byte, MaxControlPayload+1)); !errors.Is(err, ErrControlTooBig) {
		t.Errorf("126 bytes: %v", err)
	}
	big := bytes.Repeat([]byte("x"), MaxControlPayload)
	sendPing(t, c, string(big))
	for range 2 { // first unsent, then sent
		if _, err := c.SendPing(big); !errors.Is(err, ErrDuplicatePing) {
			t.Errorf("the same payload again: %v", err)
		}
		owed(t, c, epoch)
	}
	receivePong(t, c, epoch, string(big))
	if _, err := c.SendPing(big); err != nil {
		t.Errorf("the same payload after its pong: %v", err)
	}

	c = newTestConn(Client)
	payload := []byte("mine")
	if _, err := c.SendPing(payload); err != nil {
		t.Fatal(err)
	}
	spoil(payload)
	if out := owed(t, c, epoch); !bytes.HasSuffix(out, []byte("mine")) {
		t.Errorf("sent %x: the caller's memory was not copied", out)
	}
}

// TestRandomPing lets the library choose payloads: four bytes from the source
// of random bytes, other ones for each ping, an error if the source fails or
// goes in circles.
func TestRandomPing(t *testing.T) {
	c := NewConn(Config{Role: Server, MaskKeys: strings.NewReader("aaaaaaaabbbbcc")})
	for range 2 {
		if _, err := c.SendPing(nil); err != nil {
			t.Fatal(err)
		}
	}
	if out, want := owed(t, c, epoch), "\x89\x04aaaa\x89\x04bbbb"; string(out) != want {
		t.Errorf("sent %q, want %q", out, want)
	}
	if _, err := c.SendPing(nil); err == nil {
		t.Error("no error from a source that has run dry")
	}

	c = newTestConn(Server)
	if _, err := c.SendPing(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendPing(nil); !errors.Is(err, ErrDuplicatePing) {
		t.Errorf("a source that repeats itself: %v", err)
	}
	if _, err := c.SendPing([]byte{}); err != nil { // empty is not nil: it is a payload
		t.Errorf("an empty payload: %v", err)
	}
	if out, want := owed(t, c, epoch), "\x89\x04\x00\x00\x00\x00\x89\x00"; string(out) != want {
		t.Errorf("sent %q, want %q", out, want)
	}
}

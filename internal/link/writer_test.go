package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestWriterLeft reaches the limit of a writer before or behind its first fragment,
// where the transport takes nothing more or is known to take something only by
// waiting. Write sends nothing then; Close ends what was begun, so that other messages
// can follow, and a message of which nothing was sent is not sent at all.
func TestWriterLeft(t *testing.T) {
	for name, test := range map[string]struct{ wrapped, full, begun, hold bool }{
		"begun":              {begun: true},
		"begun, held":        {begun: true, hold: true},
		"begun, full":        {begun: true, full: true},
		"begun, wrapped":     {begun: true, wrapped: true},
		"not begun":          {},
		"not begun, full":    {full: true},
		"not begun, wrapped": {wrapped: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pipe, theirs := NewPipe()
				defer theirs.Close()
				ours := pipe
				if test.wrapped {
					ours = struct{ net.Conn }{pipe}
				}
				sent := func(want string) {
					t.Helper()
					got := make([]byte, len(want))
					if _, err := io.ReadFull(theirs, got); err != nil || string(got) != want {
						t.Errorf("sent %.40q, %v, want %.40q", got, err, want)
					}
				}
				opts := Options{Role: protocol.Server, MaxFragmentSize: -1, Hold: -1}
				if test.hold {
					opts.Hold = time.Millisecond
				}
				c := opened(ours, opts)
				defer end(c)
				ctx, cancel := context.WithCancel(t.Context())
				w, err := c.SendWriter(&Limit{Context: ctx}, protocol.Binary, protocol.CompressAuto)
				if err != nil {
					t.Fatal(err)
				}
				if test.begun {
					if _, err := io.WriteString(w, "begun"); err != nil {
						t.Fatal(err)
					}
					sent("\x02\x05begun")
				}
				filler := ""
				if test.full {
					filler = strings.Repeat("filler", pipeBuffer/3)
					io.WriteString(pipe, filler)
				}
				cancel()
				if n, err := io.WriteString(w, "more"); n != 0 || !errors.Is(err, context.Canceled) {
					t.Errorf("Write behind the limit: %d, %v", n, err)
				}
				if err := w.Close(); test.begun != (err == nil) || err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("Close behind the limit: %v", err)
				}
				if err := w.Close(); !errors.Is(err, ErrWriterClosed) {
					t.Errorf("Close once more: %v", err)
				}
				time.AfterFunc(time.Second, func() { sent(filler) })
				if err := c.Send(After(time.Minute), protocol.TextMessage("next")); err != nil {
					t.Errorf("Send behind it: %v", err)
				}
				time.Sleep(time.Second)
				if test.begun {
					sent("\x80\x00")
				}
				sent("\x81\x04next")
			})
		})
	}
}

// TestWriterOvertaken reaches the limit while Close waits for a peer that reads nothing:
// the end of the message is held, and other messages can follow.
func TestWriterOvertaken(t *testing.T) {
	for name, o := range map[string]overtaken{
		"a server":   {role: protocol.Server},
		"wrapped":    {role: protocol.Server, wrapped: true},
		"compressed": {role: protocol.Server, compressed: true},
		"a client":   {role: protocol.Client},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, o.run) })
	}
}

// long is worth compressing.
var long = strings.Repeat("and so on, ", 20)

// overtaken is how a writer's Close is.
type overtaken struct {
	role                protocol.Role
	wrapped, compressed bool
}

func (o *overtaken) run(t *testing.T) {
	pipe, theirs := NewPipe()
	ours := pipe
	if o.wrapped {
		ours = struct{ net.Conn }{pipe}
	}
	c := new(Conn)
	c.Init(ours, nil, Options{Role: o.role, Hold: -1}.WithDefaults(), o.extensions(t, o.role)...)
	defer end(c)
	w, err := c.SendWriter(After(time.Second), protocol.Text, protocol.CompressAuto)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "begun, ")
	io.WriteString(w, long)
	wire := make([]byte, 1000)
	n, _ := theirs.Read(wire)
	io.WriteString(pipe, strings.Repeat("filler", pipeBuffer/3))
	begun := time.Now()
	if err := w.Close(); err != nil || time.Since(begun) != time.Second {
		t.Errorf("Close: %v, after %v", err, time.Since(begun))
	}
	if err := w.Close(); !errors.Is(err, ErrWriterClosed) {
		t.Errorf("Close once more: %v", err)
	}
	time.AfterFunc(time.Second/2, func() { io.CopyN(io.Discard, theirs, pipeBuffer/3*6) })
	if err := c.Send(After(time.Minute), protocol.TextMessage("next, "+long)); err != nil {
		t.Errorf("Send behind it: %v", err)
	}
	synctest.Wait()
	rest, _ := theirs.Read(wire[n:])
	o.checkReceived(t, wire[:n+rest])
}

// checkReceived has the peer receive what was sent.
func (o *overtaken) checkReceived(t *testing.T, wire []byte) {
	role := protocol.Client + protocol.Server - o.role
	peer, feed := open(t, Options{Role: role}, o.extensions(t, role)...)
	feed.Write(wire)
	for _, want := range []string{"begun, " + long, "next, " + long} {
		if m, err := peer.Receive(After(time.Second)); err != nil || string(m.Data) != want {
			t.Errorf("received %q, %v, want %q", m.Data, err, want)
		}
	}
}

// extensions returns those of one side: compression, with a memory of earlier messages.
func (o *overtaken) extensions(t *testing.T, role protocol.Role) []protocol.Extension {
	if !o.compressed {
		return nil
	}
	var client, server protocol.Deflate
	params, ext, err := server.ProcessRequestParams(client.RequestParams(), nil)
	if err == nil && role == protocol.Client {
		ext, err = client.ProcessResponseParams(params, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return []protocol.Extension{ext}
}

// TestWriterLeftInCharacter reaches the limit where a text has stopped inside a
// character: nothing can follow it, so the connection fails and says why.
func TestWriterLeftInCharacter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{Hold: -1})
		w, err := c.SendWriter(After(time.Second), protocol.Text, protocol.CompressAuto)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "caf\xc3")
		if err := w.Close(); err != protocol.ErrInvalidText {
			t.Errorf("in time: %v", err) // and the rest may follow
		}
		time.Sleep(time.Second)
		if err := w.Close(); !errors.Is(err, ErrPartialWrite) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("too late: %v", err)
		}
		if err := c.Send(nil, protocol.TextMessage("next")); !errors.Is(err, ErrPartialWrite) {
			t.Errorf("Send behind it: %v", err)
		}
		sent := make([]byte, 8)
		if _, err := io.ReadFull(peer, sent); err != nil || string(sent[6:]) != "\x88\x0e" {
			t.Errorf("sent %q, %v, want a close frame at the end", sent, err)
		}
	})
}

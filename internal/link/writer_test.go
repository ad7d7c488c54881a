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

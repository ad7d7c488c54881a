package suite

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// closingWhile closes conn in the background and hands over to a peer that
// goes on for a while before it answers.
func closingWhile(t *testing.T, conn Conn, peer *Raw, goOn func()) {
	t.Helper()
	closed := make(chan error, 1)
	go func() { closed <- conn.Close() }() // ends with the peer
	peer.ExpectClose(t, protocol.NormalClosure, "")
	goOn()
	peer.Send(t, peer.CloseFrame(protocol.NormalClosure, ""))
	peer.Close()
	ok(t, <-closed)
}

// TestDiscardedToTheEnd closes with a full queue. Once a message was discarded
// so is all that comes behind it, although the application receives again and
// there is room: it may miss the end, never something in the middle.
func TestDiscardedToTheEnd(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxQueue = 4
			conn, peer := e.Against(t)
			closingWhile(t, conn, peer, func() {
				for i := range 6 { // two too many
					peer.Send(t, peer.Text(fmt.Sprint(i)))
				}
				time.Sleep(time.Second)
				for i := range 4 {
					expect(t, conn, fmt.Sprint(i))
				}
				peer.Send(t, peer.Text("behind the gap"))
				time.Sleep(time.Second)
			})
			expectClosed(t, conn)
		})
	})
}

// TestDiscardedChunks does the same to a message that is received in pieces:
// its reader ends with an error, and not as if it had seen all of it.
func TestDiscardedChunks(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxQueue = 4
			conn, peer := e.Against(t)
			peer.Send(t, peer.Frame(protocol.OpText, false, "a"))
			_, r, err := conn.RecvReader()
			ok(t, err)
			var got []byte
			closingWhile(t, conn, peer, func() {
				for range 6 { // two too many
					peer.Send(t, peer.Frame(protocol.OpContinuation, false, "b"))
					time.Sleep(time.Second)
				}
				got = make([]byte, 5)
				_, err = io.ReadFull(r, got)
				ok(t, err)
				peer.Send(t, peer.Frame(protocol.OpContinuation, true, "c"), peer.Text("another"))
				time.Sleep(time.Second)
			})
			rest, err := io.ReadAll(r)
			is(t, err, protocol.ErrClosed)
			if string(got) != "abbbb" || len(rest) > 0 {
				t.Errorf("read %q and %q", got, rest)
			}
			expectClosed(t, conn)
		})
	})
}

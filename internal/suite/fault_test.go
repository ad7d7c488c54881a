package suite

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestErrorsApart makes connections end in each way there is, and tells the
// errors apart as a user would: each is found by its own name and by no other.
func TestErrorsApart(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		faults := FaultsOf(e.Face)
		names := map[string]func(error) bool{
			"io.EOF":                   func(err error) bool { return errors.Is(err, io.EOF) },
			"ErrCloseTimeout":          func(err error) bool { return errors.Is(err, faults.CloseTimeout) },
			"ErrPartialWrite":          func(err error) bool { return errors.Is(err, faults.PartialWrite) },
			"ErrAborted":               func(err error) bool { return errors.Is(err, faults.Aborted) },
			"ErrClosedOK":              func(err error) bool { return errors.Is(err, protocol.ErrClosedOK) },
			"ErrMessageTooBig":         func(err error) bool { return errors.Is(err, protocol.ErrMessageTooBig) },
			"ViolationError":           func(err error) bool { return as[*protocol.ViolationError](err) != nil },
			"keepalive.TimeoutError":   func(err error) bool { return as[*keepalive.TimeoutError](err) != nil },
			"keepalive.ErrTimeout":     func(err error) bool { return errors.Is(err, keepalive.ErrTimeout) },
			"net.OpError":              func(err error) bool { return as[*net.OpError](err) != nil },
			"the bound of the call":    func(err error) bool { return errors.Is(err, timeoutOf(e.Face)) },
			"ErrClosed":                func(err error) bool { return errors.Is(err, protocol.ErrClosed) },
			"ErrClosedError":           func(err error) bool { return errors.Is(err, protocol.ErrClosedError) },
			"a code of the peer's own": func(err error) bool { c := as[*protocol.CloseError](err); return c != nil && c.Code() == 4000 },
		}
		for name, test := range map[string]struct {
			end  func(t *testing.T, conn Conn, peer *Raw)
			told []string // besides ErrClosed
		}{
			"normal":  {func(t *testing.T, _ Conn, peer *Raw) { peer.Send(t, peer.CloseFrame(1000, "")) }, []string{"ErrClosedOK"}},
			"own":     {func(t *testing.T, _ Conn, peer *Raw) { peer.Send(t, peer.CloseFrame(4000, "")) }, []string{"ErrClosedError", "a code of the peer's own"}},
			"dropped": {func(_ *testing.T, _ Conn, peer *Raw) { peer.Close() }, []string{"ErrClosedError", "io.EOF"}},
			"violation": {func(t *testing.T, _ Conn, peer *Raw) { peer.Send(t, []byte{0xff}) },
				[]string{"ErrClosedError", "ViolationError"}},
			"too big": {func(t *testing.T, _ Conn, peer *Raw) {
				peer.Send(t, peer.Frame(protocol.OpText, true, string(pattern(2<<20)))[:100])
			},
				[]string{"ErrClosedError", "ViolationError", "ErrMessageTooBig"}},
			"aborted": {func(_ *testing.T, conn Conn, _ *Raw) { conn.CloseNow() }, []string{"ErrClosedError", "ErrAborted"}},
			"close timeout": {func(_ *testing.T, conn Conn, _ *Raw) { conn.Close() },
				[]string{"ErrClosedError", "ErrCloseTimeout"}},
			"partial write": {func(_ *testing.T, conn Conn, _ *Raw) { conn.Send(protocol.BinaryMessage(pattern(1<<20)), time.Second) },
				[]string{"ErrClosedError", "ErrPartialWrite", "the bound of the call"}},
			"keepalive": {func(_ *testing.T, conn Conn, _ *Raw) { conn.SetKeepalive(keepalive.Config{}) },
				[]string{"ErrClosedError", "keepalive.TimeoutError", "keepalive.ErrTimeout"}},
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn, peer := e.Against(t)
					test.end(t, conn, peer)
					_, err := conn.Recv(0)
					wanted := map[string]bool{"ErrClosed": true}
					for _, name := range test.told {
						wanted[name] = true
					}
					for name, found := range names {
						if found(err) != wanted[name] {
							t.Errorf("%s found: %v, in %v", name, found(err), err)
						}
					}
				})
			})
		}
	})
}

// TestTooManyPings sends more pings than can wait for their pongs, and one with
// the payload of another.
func TestTooManyPings(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			go io.Copy(io.Discard, peer)
			first, err := conn.Ping([]byte("first"))
			ok(t, err)
			_, err = conn.Ping([]byte("first"))
			is(t, err, protocol.ErrDuplicatePing)
			_, err = conn.Ping(make([]byte, 126))
			is(t, err, protocol.ErrControlTooBig)
			is(t, conn.Pong(make([]byte, 126)), protocol.ErrControlTooBig)
			var last Pong
			for range 1023 {
				last, err = conn.Ping(nil)
				ok(t, err)
			}
			_, err = conn.Ping(nil)
			is(t, err, FaultsOf(e.Face).TooManyPings)
			for _, pong := range []Pong{first, last} {
				_, err = pong.Wait(time.Second)
				is(t, err, conn.TimeoutError())
			}
		})
	})
}

// TestFacesShareErrors finds the errors of one face in the other's: a program
// with both needs to know but one set.
func TestFacesShareErrors(t *testing.T) {
	if FaultsOf(Sync{}) != FaultsOf(Async{}) {
		t.Error("the faces have different errors")
	}
}

package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestClose closes from either side, with several codes and reasons, and looks
// at what both sides are told of it.
func TestClose(t *testing.T) {
	for _, test := range []protocol.Close{
		{Code: protocol.NormalClosure},
		{Code: protocol.GoingAway, Reason: "moving"},
		{Code: protocol.NoStatusReceived},
		{Code: protocol.PolicyViolation, Reason: strings.Repeat("ä", 61)},
		{Code: 4999, Reason: "mine"},
	} {
		t.Run(test.Code.String(), func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					for _, byServer := range []bool{false, true} {
						client, server, _, _ := s.Over(t)
						if byServer {
							closes(t, server, client, test)
						} else {
							closes(t, client, server, test)
						}
					}
				})
			})
		})
	}
}

// closes has one side close while the other one receives.
func closes(t *testing.T, first, second Conn, frame protocol.Close) {
	t.Helper()
	begun := time.Now()
	var closing sync.WaitGroup
	closing.Go(func() {
		if err := first.CloseWith(frame.Code, frame.Reason); err != nil {
			t.Error(err)
		}
	})
	told := expectClosed(t, second)
	if *told.Rcvd != frame || *told.Sent != frame || !told.RcvdThenSent || told.Err != nil {
		t.Errorf("second: %+v %v %v", told, told.Rcvd, told.Sent)
	}
	closing.Wait()
	told = expectClosed(t, first)
	if *told.Rcvd != frame || *told.Sent != frame || told.RcvdThenSent || told.Err != nil {
		t.Errorf("first: %+v %v %v", told, told.Rcvd, told.Sent)
	}
	<-second.Done()
	took(t, begun, 0) // nobody waited for a timeout
	for _, conn := range []Conn{first, second} {
		if conn.State() != protocol.Closed || conn.Err() == nil || conn.Err().Error() != expectClosed(t, conn).Error() {
			t.Errorf("%v, %v", conn.State(), conn.Err())
		}
		ok(t, conn.CloseWith(4000, "once more"))
		is(t, conn.Send(protocol.TextMessage("late"), 0), protocol.ErrClosed)
		is(t, conn.Flush(), protocol.ErrClosed)
		_, err := conn.Ping(nil)
		is(t, err, protocol.ErrClosed)
		is(t, conn.Pong(nil), protocol.ErrClosed)
		_, err = conn.SendWriter(protocol.Text)
		is(t, err, protocol.ErrClosed)
		_, _, err = conn.RecvReader()
		is(t, err, protocol.ErrClosed)
		_, _, err = conn.RecvAppend(nil)
		is(t, err, protocol.ErrClosed)
	}
}

// TestCloseSimultaneous has both sides close before either frame has arrived.
func TestCloseSimultaneous(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, clientEnd, serverEnd := s.Over(t)
			link.Impair(clientEnd, link.Impairment{Rate: 1000})
			link.Impair(serverEnd, link.Impairment{Rate: 1000})
			var both sync.WaitGroup
			both.Go(func() { ok(t, client.CloseWith(4001, "client")) })
			both.Go(func() { ok(t, server.CloseWith(4002, "server")) })
			both.Wait()
			for conn, sent := range map[Conn]protocol.CloseCode{client: 4001, server: 4002} {
				told := closeError(t, conn.Err())
				if told.Sent.Code != sent || told.Rcvd.Code != 4001+4002-sent || told.RcvdThenSent {
					t.Errorf("sent %v, received %v, received first: %v", told.Sent, told.Rcvd, told.RcvdThenSent)
				}
			}
		})
	})
}

// TestCloseRefused gives codes and reasons that no close frame may carry:
// nothing happens, also while a message is being sent.
func TestCloseRefused(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			refused := func() {
				t.Helper()
				for _, frame := range []protocol.Close{
					{Code: 0}, {Code: 999}, {Code: 1004}, {Code: protocol.AbnormalClosure}, {Code: 1015}, {Code: 1016},
					{Code: 2999}, {Code: 5000}, {Code: protocol.NoStatusReceived, Reason: "with a reason"},
					{Code: 1000, Reason: strings.Repeat("x", 124)}, {Code: 1000, Reason: "\xff"},
				} {
					is(t, client.CloseWith(frame.Code, frame.Reason), protocol.ErrInvalidClose)
				}
				if client.State() != protocol.Open {
					t.Fatal("the connection is not open any more")
				}
			}
			refused()
			w, err := client.SendWriter(protocol.Text)
			ok(t, err)
			io.WriteString(w, "still ")
			refused()
			io.WriteString(w, "open")
			ok(t, w.Close())
			expect(t, server, "still open")
		})
	})
}

// TestCloseTimeout closes towards a peer that never answers: with a close frame
// that it reads, and with one that never leaves.
func TestCloseTimeout(t *testing.T) {
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprintf("reads=%v", reads), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.CloseTimeout = 3 * time.Second
					conn, peer := e.Against(t)
					if reads {
						go io.Copy(io.Discard, peer)
					} else {
						is(t, conn.Send(protocol.BinaryMessage(pattern(200<<10)), time.Second), conn.TimeoutError())
					}
					begun := time.Now()
					err := conn.Close()
					if reads {
						is(t, err, FaultsOf(e.Face).CloseTimeout)
						took(t, begun, 3*time.Second)
					}
					told := closeError(t, err)
					if told.Rcvd != nil || told.Code() != protocol.AbnormalClosure {
						t.Errorf("%v", told)
					}
					is(t, conn.Err(), protocol.ErrClosedError)
				})
			})
		})
	}
}

// TestCloseBehindBlockedSend closes while a Send waits for a peer that does not
// read: the Send is cut off after the close timeout and says why.
func TestCloseBehindBlockedSend(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = 3 * time.Second
			conn, _ := e.Against(t)
			var sending sync.WaitGroup
			sending.Go(func() { is(t, conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0), FaultsOf(e.Face).CloseTimeout) })
			synctest.Wait()
			begun := time.Now()
			is(t, conn.Close(), FaultsOf(e.Face).CloseTimeout)
			took(t, begun, 3*time.Second)
			sending.Wait()
		})
	})
}

// TestCloseTimeoutNotOff takes a negative close timeout as the default: it
// cannot be turned off.
func TestCloseTimeoutNotOff(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = -1
			conn, _ := e.Against(t)
			begun := time.Now()
			is(t, conn.Close(), FaultsOf(e.Face).CloseTimeout)
			took(t, begun, link.DefaultCloseTimeout)
		})
	})
}

// TestNoCloseFrame has the peer end the transport without a close frame.
func TestNoCloseFrame(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Text("last words"))
			peer.Close()
			begun := time.Now()
			expect(t, conn, "last words")
			told := expectClosed(t, conn)
			is(t, told, io.EOF)
			is(t, told, protocol.ErrClosedError)
			if told.Rcvd != nil || told.Code() != protocol.AbnormalClosure {
				t.Errorf("%v", told)
			}
			<-conn.Done()
			took(t, begun, 0)
			is(t, conn.Close(), io.EOF)
		})
	})
}

// TestNoCloseFrameWriting has it be a write that finds the transport ended: what is
// told is that the peer has ended it, whoever comes first.
func TestNoCloseFrameWriting(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Close()
			if err := conn.Send(protocol.TextMessage("anybody there?"), 0); err == nil {
				t.Error("a message was sent to nobody")
			}
			<-conn.Done()
			is(t, conn.Err(), io.EOF)
			is(t, expectClosed(t, conn), io.EOF)
			is(t, conn.Send(protocol.TextMessage("anybody there?"), 0), io.EOF)
		})
	})
}

// TestPeerCloses has the peer close in the middle of frames and messages.
func TestPeerCloses(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Text("one"), peer.Frame(protocol.OpText, false, "tw"), peer.CloseFrame(4000, "enough"),
				peer.Frame(protocol.OpContinuation, true, "o"))
			expect(t, conn, "one")
			told := expectClosed(t, conn)
			if told.Rcvd.Code != 4000 || told.Reason() != "enough" || !told.RcvdThenSent {
				t.Errorf("%v", told)
			}
			peer.ExpectClose(t, 4000, "enough") // echoed
			if e.Role == protocol.Server {
				peer.ExpectEnd(t) // a server ends TCP at once, a client waits for it (section 7.1.1)
			}
			peer.Close()
			<-conn.Done()
		})
	})
}

// TestHalfClose has a server end its direction right behind its close frame,
// while it still takes what comes; the client waits for that end.
func TestHalfClose(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = 5 * time.Second
			conn, peer := e.Against(t)
			closed := make(chan error, 1)
			go func() { closed <- conn.Close() }()
			peer.ExpectClose(t, protocol.NormalClosure, "")
			peer.Send(t, peer.CloseFrame(protocol.NormalClosure, ""))
			if e.Role == protocol.Server {
				peer.ExpectEnd(t)
			}
			synctest.Wait()
			select {
			case err := <-closed:
				t.Fatalf("Close returned %v before the peer had ended TCP", err)
			default:
			}
			peer.Send(t, make([]byte, 1000)) // it is read and discarded: no reset
			begun := time.Now()
			time.Sleep(time.Second)
			peer.Close()
			ok(t, <-closed)
			took(t, begun, time.Second)
		})
	})
}

// TestPeerStays has the peer keep TCP open for ever after the closing
// handshake. Nobody but Close waits for the end of that.
func TestPeerStays(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = 5 * time.Second
			conn, peer := e.Against(t)
			begun := time.Now()
			pong, err := conn.Ping(nil)
			ok(t, err)
			var waiting sync.WaitGroup
			waiting.Go(func() {
				// Recv comes first, so that Wait leaves the reading to it.
				expect(t, conn, "bye")
				expectClosed(t, conn)
				took(t, begun, 0)
			})
			synctest.Wait()
			waiting.Go(func() {
				_, err := pong.Wait(0)
				if closeError(t, err).Rcvd.Code != 4000 {
					t.Error(err)
				}
				took(t, begun, 0)
			})
			synctest.Wait()
			peer.Send(t, peer.Text("bye"), peer.CloseFrame(4000, "")) // arrive in one read
			waiting.Wait()
			<-conn.Done()
			took(t, begun, 5*time.Second)
			if told := closeError(t, conn.Err()); told.Rcvd.Code != 4000 || told.Err != nil {
				t.Errorf("%v", told) // the codes are what counts
			}
		})
	})
}

// TestReadAfterClose receives what came before the peer's close, in order, long
// after it.
func TestReadAfterClose(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			for i := range 10 {
				send(t, client, fmt.Sprint("message ", i))
			}
			ok(t, client.CloseWith(4000, ""))
			<-server.Done()
			for i := range 10 {
				expect(t, server, fmt.Sprint("message ", i))
			}
			if told := expectClosed(t, server); told.Rcvd.Code != 4000 {
				t.Errorf("%v", told)
			}
		})
	})
}

// TestCloseWithFullQueue closes although the application has received nothing
// and the peer goes on sending: the queue's worth stays, the rest is discarded.
func TestCloseWithFullQueue(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxQueue = 4
			conn, peer := e.Against(t)
			for i := range 10 {
				peer.Send(t, peer.Text(fmt.Sprint(i)))
			}
			time.Sleep(time.Second) // the queue fills, and reading pauses
			begun := time.Now()
			closed := make(chan error, 1)
			go func() { closed <- conn.Close() }()
			peer.ExpectClose(t, protocol.NormalClosure, "")
			peer.Send(t, peer.Text("on its way"), peer.CloseFrame(protocol.NormalClosure, ""))
			peer.Close()
			ok(t, <-closed)
			took(t, begun, 0)
			for i := range 4 {
				expect(t, conn, fmt.Sprint(i))
			}
			expectClosed(t, conn)
		})
	})
}

// TestCloseDuringWriter closes in the middle of a message that a writer sends:
// the peer is not to take its beginning for all of it.
func TestCloseDuringWriter(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			w, err := conn.SendWriter(protocol.Text)
			ok(t, err)
			io.WriteString(w, "beginning")
			closed := make(chan error, 1)
			go func() { closed <- conn.Close() }()
			peer.Expect(t, protocol.OpText, "beginning")
			h, payload, err := peer.Next()
			if err != nil || h.Opcode != protocol.OpClose || !strings.HasPrefix(payload, closePayload(protocol.InternalError, "")) {
				t.Fatalf("received %v %q, %v", h.Opcode, payload, err)
			}
			peer.Send(t, peer.Frame(protocol.OpClose, true, payload))
			peer.Close()
			<-closed
			_, err = io.WriteString(w, "more")
			is(t, err, protocol.ErrClosed)
			is(t, w.Close(), protocol.ErrClosed)
		})
	})
}

// TestViolation breaks the protocol while earlier messages are unread: they can
// be received and answered first, and the answers leave before the close frame.
func TestViolation(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Text("one"), peer.Text("two"), []byte{0xff})
			time.Sleep(time.Second) // they are queued: nobody receives
			for _, text := range []string{"one", "two"} {
				expect(t, conn, text)
				send(t, conn, "answer to "+text)
			}
			told := expectClosed(t, conn)
			var violation *protocol.ViolationError
			if violation = as[*protocol.ViolationError](told); violation == nil || violation.Code != protocol.ProtocolError {
				t.Fatalf("%v", told)
			}
			peer.Expect(t, protocol.OpText, "answer to one")
			peer.Expect(t, protocol.OpText, "answer to two")
			peer.ExpectClose(t, protocol.ProtocolError, violation.Reason)
			peer.Close()
			<-conn.Done()
		})
	})
}

// TestViolationPatience waits for the application to receive what came before
// a violation no longer than the close timeout.
func TestViolationPatience(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = 5 * time.Second
			conn, peer := e.Against(t)
			pong, err := conn.Ping([]byte("?"))
			ok(t, err)
			begun := time.Now()
			peer.Send(t, peer.Text("unread"), []byte{0xff})
			// Who waits for something else is told when the connection has
			// failed, and not when TCP has ended.
			_, err = pong.Wait(0)
			if as[*protocol.ViolationError](err) == nil {
				t.Fatal(err)
			}
			took(t, begun, 5*time.Second)
			peer.Expect(t, protocol.OpPing, "?")
			if h, _, err := peer.Next(); err != nil || h.Opcode != protocol.OpClose {
				t.Fatalf("received %v, %v", h.Opcode, err)
			}
			expect(t, conn, "unread")
			expectClosed(t, conn)
		})
	})
}

// TestTooBig refuses messages over the limit, whole or in fragments, with 1009.
func TestTooBig(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxMessageSize = 1000
			for _, cut := range []bool{false, true} {
				conn, peer := e.Against(t)
				peer.Send(t, peer.Text(strings.Repeat("x", 1000)))
				if cut {
					peer.Send(t, peer.Frame(protocol.OpText, false, strings.Repeat("x", 1000)), peer.Frame(protocol.OpContinuation, true, "x"))
				} else {
					peer.Send(t, peer.Text(strings.Repeat("x", 1001)))
				}
				expect(t, conn, strings.Repeat("x", 1000))
				told := expectClosed(t, conn)
				is(t, told, protocol.ErrMessageTooBig)
				if told.Sent.Code != protocol.MessageTooBig {
					t.Errorf("%v", told)
				}
				peer.ExpectClose(t, protocol.MessageTooBig, told.Sent.Reason)
				peer.Close()
			}
		})
	})
}

// TestCloseNow cuts the connection, whatever is under way.
func TestCloseNow(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			aborted := FaultsOf(e.Face).Aborted
			pong, err := conn.Ping(nil)
			ok(t, err)
			var all sync.WaitGroup
			all.Go(func() { _, err := conn.Recv(0); is(t, err, aborted) })
			all.Go(func() { is(t, conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0), aborted) })
			all.Go(func() { is(t, conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0), aborted) })
			all.Go(func() { _, err := pong.Wait(0); is(t, err, aborted) })
			synctest.Wait()
			begun := time.Now()
			conn.CloseNow()
			all.Wait()
			took(t, begun, 0)
			told := closeError(t, conn.Err())
			if told.Rcvd != nil || told.Sent != nil {
				t.Errorf("%v", told)
			}
			is(t, conn.Close(), aborted)
			peer.Close()
		})
	})
}

// TestFailureIsTold has a call wait for a pong while reading is paused. It is
// told of a failure at once, although the peer keeps TCP open.
func TestFailureIsTold(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxQueue = 1
			conn, peer := e.Against(t)
			peer.Send(t, peer.Text("fills the queue"))
			pong, err := conn.Ping(nil)
			ok(t, err)
			begun := time.Now()
			var waiting sync.WaitGroup
			waiting.Go(func() {
				_, err := pong.Wait(0)
				is(t, err, protocol.ErrClosed)
				took(t, begun, time.Second)
			})
			_, err = conn.SendWriter(protocol.Text)
			ok(t, err)
			time.Sleep(time.Second)
			closeError(t, conn.Close()) // fails the connection: the message is not complete
			waiting.Wait()
		})
	})
}

// TestCloseLastsNoLonger closes behind a Send that takes up most of the close
// timeout; the peer then gets only the rest of it to answer.
func TestCloseLastsNoLonger(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.CloseTimeout = 10 * time.Second
			conn, peer := e.Against(t)
			n := full(t, &e, conn)
			var sending sync.WaitGroup
			sending.Go(func() { ok(t, conn.Send(filler(&e), 0)) })
			sending.Go(func() {
				time.Sleep(6 * time.Second)
				expectFillers(t, &e, peer, n+1)
				peer.ExpectClose(t, protocol.NormalClosure, "") // and does not answer
			})
			synctest.Wait()
			begun := time.Now()
			is(t, conn.Close(), FaultsOf(e.Face).CloseTimeout)
			took(t, begun, 10*time.Second)
			sending.Wait()
		})
	})
}

// TestCloseSeenAfterWait: the grace period ends while a Wait reads, so that no
// attendant is needed then. One is needed when the Wait is over, or the peer's
// close frame is not seen.
func TestCloseSeenAfterWait(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		off := &Options{Keepalive: keepalive.Config{Interval: -1}} // no ping makes the attendant come sooner
		client, server := face.Pipe(off, off)
		server.Recv(5 * time.Millisecond) // its attendant, and the pong, come late
		pong, err := client.Ping(nil)
		ok(t, err)
		if rtt, err := pong.Wait(0); err != nil || rtt < 10*time.Millisecond {
			t.Fatalf("Wait returned %v, %v: it should last longer than the grace period", rtt, err)
		}
		begun := time.Now()
		ok(t, server.Close())
		if took := time.Since(begun); took > time.Second {
			t.Errorf("Close took %v: nobody read on the other side", took)
		}
		client.Close()
	})
}

// TestShutdownCut has the context of a Shutdown end while it waits behind a
// blocked Send: it was us who did not wait, and not the peer who was slow.
func TestShutdownCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wsasync.Pipe(t.Context(), nil)
		defer server.CloseNow()
		ok(t, client.SendBinary(t.Context(), pattern(1<<20), wsasync.WithCompression(false))) // fills the server's queue
		var sending sync.WaitGroup
		sending.Go(func() {
			is(t, client.SendBinary(t.Context(), pattern(1<<20), wsasync.WithCompression(false)), wsasync.ErrAborted)
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		err := client.Shutdown(ctx, protocol.NormalClosure, "")
		took(t, begun, time.Second)
		is(t, err, wsasync.ErrAborted)
		is(t, err, context.DeadlineExceeded)
		if errors.Is(err, wsasync.ErrCloseTimeout) {
			t.Errorf("error %v", err)
		}
		sending.Wait()
	})
}

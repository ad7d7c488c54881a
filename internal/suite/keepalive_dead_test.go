package suite

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The link goes dark without a word, and both sides are told in time.

// dark has the direction in which each of the ends sends carry nothing more.
func dark(ends ...net.Conn) {
	for _, end := range ends {
		link.Impair(end, link.Impairment{Dark: true})
	}
}

// TestDeadLink has a link go dark, one way or both, while the application waits
// in different calls, all of which return at the moment when the peer is given
// up. That is interval + timeout after the last byte, or before.
func TestDeadLink(t *testing.T) {
	for _, path := range []struct {
		name         string
		ours, theirs bool // which direction goes dark
		cause        keepalive.Cause
	}{
		{"out", true, false, keepalive.NetworkDead},
		{"in", false, true, keepalive.PeerStuck}, // in memory, acknowledgements do not take the dark path
		{"both", true, true, keepalive.NetworkDead},
	} {
		t.Run(path.name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				for name, call := range calls {
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							e.Options.Keepalive = keepalive.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, Phase: 4 * time.Second}
							conn, w, ours, theirs := e.watchedOver(t, atOnce)
							w.until(17 * time.Second)
							if path.ours {
								dark(ours)
							}
							if path.theirs {
								dark(theirs)
							}
							var calling sync.WaitGroup
							calling.Go(func() { call(t, conn) })
							cause := givenUp(t, conn, w.opened, 29*time.Second) // the ping at 24 s had no answer
							calling.Wait()
							took(t, w.opened, 29*time.Second)
							if cause.SinceByte != 15*time.Second || cause.Waited != 5*time.Second {
								t.Errorf("%+v", *cause)
							}
							if cause.Cause != path.cause {
								t.Errorf("cause %v, want %v", cause, path.cause)
							}
							afterwards(t, conn)
						})
					})
				}
			})
		})
	}
}

// calls are what an application may be waiting in. Each returns when the
// connection is given up, and says so.
var calls = map[string]func(t *testing.T, conn Conn){
	"nothing": func(*testing.T, Conn) {},
	"recv":    inRecv,
	"append": func(t *testing.T, conn Conn) {
		_, _, err := conn.RecvAppend(make([]byte, 0, 100))
		timedOut(t, err)
	},
	"reader": func(t *testing.T, conn Conn) {
		_, _, err := conn.RecvReader()
		timedOut(t, err)
	},
	"messages": func(t *testing.T, conn Conn) {
		for _, err := range conn.Messages() {
			timedOut(t, err)
		}
	},
	"writer": inWriter,
	"send":   inSend,
	"wait":   inWait,
	"all": func(t *testing.T, conn Conn) {
		var all sync.WaitGroup
		all.Go(func() { inRecv(t, conn) })
		all.Go(func() { inWait(t, conn) })
		all.Go(func() { inSend(t, conn) })
		all.Wait()
	},
}

func inRecv(t *testing.T, conn Conn) {
	_, err := conn.Recv(0)
	timedOut(t, err)
}

// inSend waits only if nobody takes what is sent, so it may have returned.
func inSend(t *testing.T, conn Conn) {
	if err := conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0); err != nil {
		timedOut(t, err)
	}
}

// inWriter waits likewise, in the middle of a message.
func inWriter(t *testing.T, conn Conn) {
	w, err := conn.SendWriter(protocol.Binary)
	ok(t, err)
	if _, err = w.Write(pattern(1 << 20)); err == nil {
		ok(t, w.Close())
		return
	}
	timedOut(t, err)
	timedOut(t, w.Close())
}

// inWait has a ping of its own, which does not change when keepalive gives up.
func inWait(t *testing.T, conn Conn) {
	pong, err := conn.Ping([]byte("mine"))
	if err == nil {
		_, err = pong.Wait(0)
	}
	timedOut(t, err)
}

// afterwards calls everything on a connection that was given up: nothing waits,
// and everything says why.
func afterwards(t *testing.T, conn Conn) {
	t.Helper()
	begun := time.Now()
	for range 2 {
		_, err := conn.Recv(0)
		timedOut(t, err)
	}
	timedOut(t, conn.Send(protocol.TextMessage("late"), 0))
	timedOut(t, conn.Close())
	timedOut(t, conn.Flush())
	_, err := conn.Ping(nil)
	timedOut(t, err)
	conn.SetKeepalive(keepalive.Config{Interval: time.Second}) // not any more
	took(t, begun, 0)
}

// TestBothGiveUp has two Tandem ends notice, each by itself, that the link
// between them is dead.
func TestBothGiveUp(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Keepalive = keepalive.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, Phase: 4 * time.Second}
			s.ServerOptions.Keepalive = keepalive.Config{Interval: 20 * time.Second, Timeout: 20 * time.Second, Phase: 16 * time.Second}
			opened := time.Now()
			client, server, clientEnd, serverEnd := s.Over(t)
			time.Sleep(15 * time.Second)
			dark(clientEnd, serverEnd)
			// The last byte came with the client's ping at 14 s.
			givenUp(t, client, opened, 29*time.Second)
			alive(t, server) // nobody told it
			givenUp(t, server, opened, 36*time.Second)
			afterwards(t, client)
			afterwards(t, server)
		})
	})
}

// TestDarkAndBack has a link go dark for less than interval + timeout: what was
// lost meanwhile arrives, as TCP sends it again, and nobody is given up.
func TestDarkAndBack(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, Phase: 10 * time.Second}
			conn, w, ours, theirs := e.watchedOver(t, atOnce)
			for range 20 {
				time.Sleep(9 * time.Second)
				dark(ours, theirs)
				time.Sleep(5*time.Second + 999*time.Millisecond)
				link.Impair(ours, link.Impairment{})
				link.Impair(theirs, link.Impairment{})
				time.Sleep(5*time.Second + time.Millisecond)
			}
			alive(t, conn)
			if n := len(w.came()); n != 40 {
				t.Errorf("%d pings, want 40", n)
			}
		})
	})
}

// TestDeadInTheMiddle has the link go dark in the middle of a message that the
// application reads in pieces: it gets what came, and then why there is no more.
func TestDeadInTheMiddle(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			conn, w, ours, theirs := e.watchedOver(t, atOnce)
			w.post(w.Text("whole"), w.Frame(protocol.OpText, false, "ha"), w.Frame(protocol.OpContinuation, false, "lf"))
			time.Sleep(time.Second)
			dark(ours, theirs)
			expect(t, conn, "whole")
			_, r, err := conn.RecvReader()
			ok(t, err)
			got, err := io.ReadAll(r)
			timedOut(t, err)
			if string(got) != "half" {
				t.Errorf("read %q", got)
			}
			took(t, w.opened, 9*time.Second)
		})
	})
}

// TestCloseBehindDeadSend closes while a Send waits for a peer that is dead, or
// does not read: keepalive goes on until the close frame is sent, and ends both
// calls before the close timeout does.
func TestCloseBehindDeadSend(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.CloseTimeout = time.Minute
			opened := time.Now()
			conn, _ := e.Against(t)
			var calling sync.WaitGroup
			calling.Go(func() { inSend(t, conn) })
			time.Sleep(2 * time.Second)
			timedOut(t, conn.Close())
			calling.Wait()
			took(t, opened, 9*time.Second)
		})
	})
}

// TestPipeKeptAlive keeps both ends of each face's connected pair alive.
func TestPipeKeptAlive(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		a, b := face.Pipe(&Options{Keepalive: every10s}, &Options{Keepalive: every10s})
		time.Sleep(time.Hour)
		for _, conn := range []Conn{a, b} {
			alive(t, conn)
			if stats := conn.KeepaliveStats(); stats.PingsSent != 360 || stats.PongsReceived != 360 {
				t.Errorf("%+v", stats)
			}
		}
		ok(t, a.Close())
		ok(t, b.Close())
	})
}

// TestHandlerContext has the context of a handler end when the peer is given up,
// with why as its cause.
func TestHandlerContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientEnd, serverEnd := link.NewPipe()
		returned := make(chan error, 1)
		server, err := wsasync.Serve(context.Background(), func(ctx context.Context, conn *wsasync.ServerConn) error {
			<-ctx.Done()
			returned <- context.Cause(ctx)
			return nil
		}, "", &wsasync.ServerOptions{Listeners: []net.Listener{newListener(serverEnd)}, Keepalive: every10s})
		ok(t, err)
		opened := time.Now()
		client, err := Async{}.Connect("ws://tandem.test", &Options{NetConn: clientEnd, Keepalive: keepalive.Config{Interval: noPings}})
		ok(t, err)
		dark(clientEnd, serverEnd)
		timedOut(t, <-returned)
		took(t, opened, 9*time.Second)
		client.CloseNow()
		ok(t, server.Close())
		took(t, opened, 9*time.Second)
	})
}

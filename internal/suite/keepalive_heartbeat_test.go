package suite

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// beating is every10s with messages in place of pings.
func beating(strict bool) keepalive.Config {
	cfg := every10s
	cfg.Strict = strict
	cfg.Heartbeat = &keepalive.Heartbeat{
		Message: func() []byte { return []byte("ping") },
		Answer:  func(data []byte) bool { return string(data) == "pong" },
	}
	return cfg
}

// TestHeartbeat: each heartbeat is answered after two seconds, with another
// message before and after the answer. The application gets those alone,
// whether it receives all the time or much later, and in whatever way.
func TestHeartbeat(t *testing.T) {
	ways := map[string]func(Conn) (string, error){
		"recv": func(c Conn) (string, error) {
			m, err := c.Recv(0)
			return string(m.Data), err
		},
		"append": func(c Conn) (string, error) {
			_, data, err := c.RecvAppend([]byte("to "))
			return string(data)[min(3, len(data)):], err
		},
	}
	for name, recv := range ways {
		for _, lag := range []time.Duration{0, 20 * time.Second} {
			t.Run(fmt.Sprint(name, lag), func(t *testing.T) {
				EachEnd(t, func(t *testing.T, e End) {
					synctest.Test(t, func(t *testing.T) { heartbeats(t, e, recv, lag) })
				})
			})
		}
	}
}

func heartbeats(t *testing.T, e End, recv func(Conn) (string, error), lag time.Duration) {
	e.Options.Keepalive = beating(true)
	conn, raw := e.Against(t)
	go func() { // ends with its second answer
		for range 2 {
			if _, payload, err := raw.Next(); err != nil || payload != "ping" {
				t.Errorf("the peer received %q, %v", payload, err)
			}
			time.Sleep(2 * time.Second)
			raw.Write(append(raw.Text("before"), raw.Frame(protocol.OpText, false, "po")...))
			time.Sleep(time.Millisecond) // the answer comes in pieces
			raw.Write(append(raw.Frame(protocol.OpContinuation, true, "ng"), raw.Text("after")...))
		}
	}()
	time.Sleep(lag)
	for range 2 {
		for _, want := range []string{"before", "after"} {
			if got, err := recv(conn); err != nil || got != want {
				t.Fatalf("received %q, %v; want %q", got, err, want)
			}
		}
	}
	alive(t, conn)
	stats := conn.KeepaliveStats()
	if stats.PongsReceived != 2 || stats.LastRTT != 2*time.Second+time.Millisecond {
		t.Errorf("%d answers, the last after %v", stats.PongsReceived, stats.LastRTT)
	}
}

// TestHeartbeatUnanswered: a peer that does not answer is given up as ever; one
// that says something else is alive, unless that is not enough.
func TestHeartbeatUnanswered(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for _, strict := range []bool{false, true} {
			for _, says := range []string{"", "something else"} {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = beating(strict)
					conn, w := e.watched(t, never)
					if w.until(6 * time.Second); says != "" {
						w.post(w.Text(says))
					}
					if !strict && says != "" {
						givenUp(t, conn, w.opened, 19*time.Second)
					} else {
						givenUp(t, conn, w.opened, 9*time.Second)
					}
				})
			}
		}
	})
}

// deserters are ways for a function of the application's not to return.
var deserters = map[string]func(){
	"panic":  func() { panic("no heartbeat") },
	"Goexit": runtime.Goexit,
}

// TestHeartbeatWithoutMessage: when there is no heartbeat to send nothing is sent in
// its place, and a peer that is silent is given up without the blame of being stuck.
func TestHeartbeatWithoutMessage(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for name, desert := range deserters {
			synctest.Test(t, func(t *testing.T) {
				e.Options.Keepalive = beating(false)
				e.Options.Keepalive.Heartbeat = &keepalive.Heartbeat{Message: func() []byte { desert(); return nil }}
				conn, w := e.watched(t, never)
				lost := givenUp(t, conn, w.opened, 9*time.Second)
				if lost.PingSent {
					t.Errorf("%s: %v; nothing was sent", name, lost)
				}
				w.expectPings(t)
			})
		}
	})
}

// TestHeartbeatWithoutJudgement: a message that nobody says is an answer is none, and
// received, whoever reads it.
func TestHeartbeatWithoutJudgement(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for name, desert := range deserters {
			synctest.Test(t, func(t *testing.T) {
				e.Options.Keepalive = beating(false)
				e.Options.Keepalive.Heartbeat = &keepalive.Heartbeat{
					Message: func() []byte { return []byte("heartbeat") },
					Answer:  func([]byte) bool { desert(); return true },
				}
				conn, peer := e.Against(t)
				peer.Send(t, peer.Text("kept"))
				time.Sleep(time.Second) // nobody receives
				expect(t, conn, "kept")
				peer.Send(t, peer.Text("received"))
				expect(t, conn, "received")
				peer.Send(t, peer.Text("in pieces"))
				_, r, err := conn.RecvReader()
				ok(t, err)
				if data, err := io.ReadAll(r); err != nil || string(data) != "in pieces" {
					t.Errorf("%s: read %q, %v", name, data, err)
				}
				conn.CloseNow()
			})
		}
	})
}

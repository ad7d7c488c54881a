package suite

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestBounds has a peer go over each bound that the options set, end to end:
// it is told so with the code that belongs to it, and the application learns
// why its connection failed.
func TestBounds(t *testing.T) {
	for name, tt := range map[string]struct {
		set    func(*Options)
		attack func(t *testing.T, raw *Raw)
		code   protocol.CloseCode
		reason string
	}{
		"message size": {
			func(o *Options) { o.MaxMessageSize = 10 },
			func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("eleven byte")) },
			protocol.MessageTooBig, "message of more than 10 bytes",
		},
		"sum of fragments": {
			func(o *Options) { o.MaxMessageSize = 10 },
			func(t *testing.T, raw *Raw) {
				raw.Send(t, raw.Frame(protocol.OpText, false, "eleven"), raw.Frame(protocol.OpContinuation, true, " byte"))
			},
			protocol.MessageTooBig, "message of more than 10 bytes",
		},
		"fragments": {
			func(o *Options) { o.MaxFragments = 100 },
			func(t *testing.T, raw *Raw) {
				raw.Send(t, raw.Frame(protocol.OpText, false, ""))
				for range 100 {
					raw.Send(t, raw.Frame(protocol.OpContinuation, false, ""))
				}
			},
			protocol.PolicyViolation, "message of more than 100 fragments",
		},
		"pings at once": {
			func(o *Options) { o.MaxControlFrames = 100 },
			func(t *testing.T, raw *Raw) {
				for range 101 {
					raw.Send(t, raw.Frame(protocol.OpPing, true, ""))
				}
			},
			protocol.PolicyViolation, "more than 100 control frames a second",
		},
		"pongs over time": {
			func(o *Options) { o.MaxControlFrames = 10 },
			func(t *testing.T, raw *Raw) {
				for range 20 {
					raw.Send(t, raw.Frame(protocol.OpPong, true, ""))
					time.Sleep(50 * time.Millisecond) // so that nothing is under way in between
				}
			},
			protocol.PolicyViolation, "more than 10 control frames a second",
		},
		"message timeout": {
			func(o *Options) { o.MessageTimeout = 10 * time.Second },
			func(t *testing.T, raw *Raw) {
				raw.Send(t, raw.Frame(protocol.OpText, false, "never"))
				for range 11 {
					time.Sleep(time.Second)
					raw.Send(t, raw.Frame(protocol.OpPong, true, ""))
				}
			},
			protocol.PolicyViolation, "message that takes longer than 10s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					tt.set(&e.Options)
					conn, raw := e.Against(t)
					failed := make(chan error, 1)
					go func() {
						_, err := conn.Recv(0)
						failed <- err
					}()
					tt.attack(t, raw)
					raw.expectFailure(t, tt.code, tt.reason)
					raw.Close()
					var v *protocol.ViolationError
					if err := <-failed; !errors.As(err, &v) || v.Code != tt.code || !strings.Contains(v.Reason, tt.reason) {
						t.Errorf("Recv: %v", err)
					}
				})
			})
		})
	}
}

// expectFailure reads pongs up to a close frame, which is to be this one.
func (r *Raw) expectFailure(t *testing.T, code protocol.CloseCode, reason string) {
	t.Helper()
	for {
		h, payload, err := r.Next()
		switch {
		case err != nil:
			t.Fatalf("raw peer: %v; want a close frame with %v", err, code)
		case h.Opcode == protocol.OpPong:
		case h.Opcode != protocol.OpClose || payload != closePayload(code, reason):
			t.Fatalf("raw peer: received %v %.80q, want to be closed with %v", h.Opcode, payload, code)
		default:
			return
		}
	}
}

// TestSetMaxMessageSize changes the bound of an open connection, which is kept
// when it is idle and holds for a message that has begun.
func TestSetMaxMessageSize(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxMessageSize = 10
			conn, raw := e.Against(t)
			conn.SetMaxMessageSize(100)
			for range 2 {
				raw.Send(t, raw.Frame(protocol.OpBinary, true, strings.Repeat("x", 100)))
				m, err := conn.Recv(0)
				ok(t, err)
				if len(m.Data) != 100 {
					t.Fatalf("%d bytes, want 100", len(m.Data))
				}
				time.Sleep(time.Minute) // idle
			}
			raw.Send(t, raw.Frame(protocol.OpBinary, false, "12345"))
			time.Sleep(time.Minute) // nobody receives, and it is read
			conn.SetMaxMessageSize(5)
			raw.Send(t, raw.Frame(protocol.OpContinuation, true, "6"))
			_, err := conn.Recv(0)
			is(t, err, protocol.ErrMessageTooBig)
		})
	})
}

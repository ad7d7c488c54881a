package causes

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The tests in this file are not parallel to the others: a peer that finds no
// time to answer for two seconds has to be given up, so it should have little
// else to do.

// A process that was stopped for longer than its timeout has missed answers,
// and does not blame its peer for that when it goes on, nor when it is stopped
// again right after that.
func TestStoppedAndContinued(t *testing.T) {
	rig.Need(t)
	for _, f := range face.Both {
		t.Run("stopped "+f.Name(), func(t *testing.T) {
			t.Parallel()
			forEnds(t, func(t *testing.T, open func(peer, keepalive.Config) *witness.End) {
				p := &program{face: f, config: witness.Quick}
				end := open(p, witness.Off)
				echoed(t, end)
				over := time.Now().Add(rig.Life(t))
				for n := 0; n < 2 || time.Now().Before(over); n++ {
					signal(t, p, syscall.SIGSTOP)
					time.Sleep(5 * time.Second)
					signal(t, p, syscall.SIGCONT)
					// Whatever it decides it has decided by then.
					if end.AwaitEnd(witness.Quick.Interval + 2*witness.Quick.Timeout) {
						t.Fatalf("%s: %v; the program: %s", end.Name, end.Why, p.lastWords())
					}
					echoed(t, end)
				}
			})
		})
	}
}

// A process that computes all the time, in so many goroutines that its reader
// seldom gets a turn, does not blame its peer for that; nor where no system tells
// what has come.
func TestBusyProcess(t *testing.T) {
	rig.Need(t)
	for _, p := range []*program{{face: face.Both[0]}, {face: face.Both[1]}, {face: face.Both[1], plain: true}} {
		t.Run(fmt.Sprintf("busy %s, plain %t", p.face.Name(), p.plain), func(t *testing.T) {
			p.config, p.busy = witness.Quick, busy
			acceptor := witness.Accept(t, face.Both[0], options(witness.Off))
			p.connect(t, fmt.Sprintf("ws://%v/", acceptor.Addr()))
			end := witness.Attend("server", acceptor.Next(t))
			if end.AwaitEnd(rig.Life(t)) {
				t.Errorf("%s: %v; the program: %s", end.Name, end.Why, p.lastWords())
			}
		})
	}
}

// Nor does it when another process takes the processors.
func TestBusyMachine(t *testing.T) {
	rig.Need(t)
	(&program{face: face.Both[0], config: witness.Off, busy: busy}).serve(t)
	var ends []*witness.End
	for _, client := range face.Both {
		for _, server := range face.Both {
			c, s := pair(t, client, server, witness.Quick, witness.Quick)
			ends = append(ends, witness.Attend("client", c), witness.Attend("server", s))
		}
	}
	time.Sleep(rig.Life(t))
	for _, end := range ends {
		if err := end.Err(); err != nil {
			t.Errorf("%s: %v", end.Name, err)
		}
	}
}

// busy is how many goroutines compute. Each gets a turn of 10 ms, so that on
// two processors it is a second until the next one.
const busy = 200

// echoed fails the test unless the peer answers a message.
func echoed(t *testing.T, end *witness.End) {
	t.Helper()
	if err := end.Send(protocol.TextMessage("anybody there?"), 0); err != nil {
		t.Fatalf("%s: Send: %v", end.Name, err)
	}
	if text, _ := end.Await(10 * time.Second); text != "anybody there?" {
		t.Fatalf("%s: received %q; want an echo", end.Name, text)
	}
}

// An application that takes one message a second from a peer that sends as
// fast as it can does not give that peer up. The peer may give us up when
// nothing that it sends moves for longer than its timeout, and then knows why;
// as long as our pings come it does not.
func TestSlowConsumer(t *testing.T) {
	rig.Need(t)
	for _, tc := range []struct {
		name   string
		sender keepalive.Config
		size   int
	}{
		{"small messages of a patient sender", witness.Off, 1 << 10},
		{"small messages", witness.Quick, 1 << 10},
		{"large messages of a patient sender", witness.Off, 1 << 20},
		{"large messages", witness.Quick, 1 << 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			testSlowConsumers(t, tc.sender, tc.size)
		})
	}
}

// testSlowConsumers is for both sides and each pair of faces.
func testSlowConsumers(t *testing.T, sender keepalive.Config, size int) {
	for _, client := range face.Both {
		for _, server := range face.Both {
			t.Run(client.Name()+" client consumes from "+server.Name(), func(t *testing.T) {
				t.Parallel()
				c, s := pair(t, client, server, witness.Quick, sender)
				testSlowConsumer(t, c, witness.Attend("sender", s), size)
			})
			t.Run(server.Name()+" server consumes from "+client.Name(), func(t *testing.T) {
				t.Parallel()
				c, s := pair(t, client, server, sender, witness.Quick)
				testSlowConsumer(t, s, witness.Attend("sender", c), size)
			})
		}
	}
}

// pair connects a client to a server in this process.
func pair(t *testing.T, client, server face.Face, ofClient, ofServer keepalive.Config) (c, s face.Conn) {
	acceptor := witness.Accept(t, server, options(ofServer))
	c = witness.Dial(t, client, fmt.Sprintf("ws://%v/", acceptor.Addr()), options(ofClient))
	return c, acceptor.Next(t)
}

func testSlowConsumer(t *testing.T, consumer face.Conn, sender *witness.End, size int) {
	go fill(sender, size) // ends with the connection
	over := time.After(rig.Life(t))
	for ended := false; !ended; {
		if _, err := consumer.Recv(0); err != nil {
			t.Fatalf("consumer: %v; there is much more to receive", err)
		}
		select {
		case <-time.After(time.Second):
		case <-over:
			ended = true
		}
	}
	if err := consumer.Err(); errors.Is(err, keepalive.ErrTimeout) {
		t.Errorf("consumer: gave up: %v", err)
	}
	checkSender(t, sender)
}

// checkSender fails the test if the sender has given up for another reason
// than that the consumer does not read.
func checkSender(t *testing.T, sender *witness.End) {
	t.Helper()
	select {
	case <-sender.Done():
	default:
		return
	}
	var timeout *keepalive.TimeoutError
	if err := sender.Err(); !errors.As(err, &timeout) || timeout.Cause != keepalive.PeerNotReading {
		t.Errorf("sender: %v; want cause %v", err, keepalive.PeerNotReading)
	} else {
		t.Logf("sender: %v", err)
	}
}

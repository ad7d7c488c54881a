package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// compressions are settings of which each pair is tried with each side's.
var compressions = map[string]protocol.Deflate{
	"defaults":    {},
	"smallest":    {ServerMaxWindowBits: 8, ClientMaxWindowBits: 8, Threshold: -1},
	"largest":     {ServerMaxWindowBits: -1, ClientMaxWindowBits: -1, Level: 6},
	"no takeover": {ServerNoContextTakeover: true, ClientNoContextTakeover: true, Threshold: -1},
	"off":         {Disabled: true},
}

// TestCompression echoes messages of all sizes with all pairs of settings.
func TestCompression(t *testing.T) {
	for ours, client := range compressions {
		for theirs, server := range compressions {
			t.Run(ours+", "+theirs, func(t *testing.T) {
				Each(t, func(t *testing.T, s Setting) {
					synctest.Test(t, func(t *testing.T) {
						s.ClientOptions.Compression, s.ServerOptions.Compression = client, server
						s.ClientOptions.MaxFragmentSize = 10000
						client, server, _, _ := s.Over(t)
						echoed(t, client, server)
					})
				})
			})
		}
	}
}

// jsonOf is a message like the ones before and after it.
func jsonOf(rng *rand.Rand, n int) []byte {
	b := []byte(`[`)
	for len(b) < n {
		b = fmt.Appendf(b, `{"id":%d,"symbol":"ABC%d","price":%d.%02d},`, rng.IntN(1e6), rng.IntN(9), rng.IntN(999), rng.IntN(99))
	}
	return b[:n]
}

func echoed(t *testing.T, client, server Conn) {
	t.Helper()
	go func() { // ends with the connection
		for m, err := range server.Messages() {
			if err != nil || server.Send(m, 0) != nil {
				return
			}
		}
	}()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{10, 63, 64, 127, 128, 0, 300, 5000, 30000, 100, 200000, 40, 1000} {
		want := jsonOf(rng, n)[:n]
		switch rng.IntN(4) {
		case 0:
			ok(t, client.SendCompressed(protocol.BinaryMessage(want), rng.IntN(2) == 0))
		case 1:
			w, err := client.SendWriter(protocol.Text)
			ok(t, err)
			for _, piece := range [][]byte{want[:n/3], want[n/3 : n/2], want[n/2:]} {
				_, err := w.Write(piece)
				ok(t, err)
			}
			ok(t, w.Close())
		default:
			ok(t, client.Send(protocol.TextMessage(string(want)), 0))
		}
		var got []byte
		if rng.IntN(2) == 0 {
			_, r, err := client.RecvReader()
			ok(t, err)
			got, err = io.ReadAll(r)
			ok(t, err)
		} else {
			m, err := client.Recv(0)
			ok(t, err)
			got = m.Data
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes came back as %d", n, len(got))
		}
	}
}

// TestCompressedSendLeft has many senders leave while the path is full: what
// they did not send is in no history, and what was sent is complete, in order
// for each of them, and can be read.
func TestCompressedSendLeft(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		for seed := range uint64(10) {
			synctest.Test(t, func(t *testing.T) {
				s.ServerOptions.MaxQueue = 1
				client, server, clientEnd, _ := s.Over(t)
				link.Impair(clientEnd, link.Impairment{Rate: 200000})
				sent := make([][]string, 4)
				var sending sync.WaitGroup
				for i := range sent {
					sending.Go(func() { sent[i] = leavingSender(t, client, rand.New(rand.NewPCG(seed, uint64(i))), i) })
				}
				received := make(chan [][]string)
				go func() { received <- slowReceiver(t, server, len(sent)) }()
				sending.Wait()
				whole := client.Send(protocol.TextMessage("end"), 0) == nil
				got := <-received
				for i := range sent {
					if !whole && len(got[i]) < len(sent[i]) { // cut short, which is the end
						sent[i] = sent[i][:len(got[i])]
					}
					if fmt.Sprint(got[i]) != fmt.Sprint(sent[i]) {
						t.Errorf("sender %d: %d messages were sent and %d came", i, len(sent[i]), len(got[i]))
					}
				}
			})
		}
	})
}

// leavingSender sends messages and waits for each only so long. It returns the
// names of those that it has sent.
func leavingSender(t *testing.T, conn Conn, rng *rand.Rand, me int) (sent []string) {
	for i := range 60 {
		name := fmt.Sprintf("%d %d ", me, i)
		m := protocol.TextMessage(name + string(jsonOf(rng, rng.IntN(1500))))
		var timeout time.Duration
		if rng.IntN(4) > 0 {
			timeout = time.Duration(1 + rng.IntN(int(40*time.Millisecond)))
		}
		switch err := conn.Send(m, timeout); {
		case err == nil:
			sent = append(sent, name)
		case !errors.Is(err, conn.TimeoutError()) || conn.State() != protocol.Open:
			// A message may have been cut short; that ends the connection and
			// the test of this seed.
			return sent
		}
	}
	return sent
}

func slowReceiver(t *testing.T, conn Conn, senders int) [][]string {
	got := make([][]string, senders)
	for m, err := range conn.Messages() {
		var me, i int
		var wrong *protocol.ViolationError
		if errors.As(err, &wrong) {
			t.Error(err)
		}
		if err != nil || m.String() == "end" {
			return got
		}
		if n, err := fmt.Sscanf(m.String(), "%d %d ", &me, &i); n != 2 {
			t.Errorf("%.20q: %v", m.Data, err)
			return got
		}
		got[me] = append(got[me], fmt.Sprintf("%d %d ", me, i))
		time.Sleep(5 * time.Millisecond)
	}
	return got
}

// TestCompressedTakeBack has Sends time out before a byte of them was written:
// the messages are taken back, and so is what later ones could have referred
// to.
func TestCompressedTakeBack(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.MaxQueue = 1
			s.ServerOptions.Keepalive.Interval, s.ClientOptions.Keepalive.Interval = noPings, noPings
			client, server, _, _ := s.Over(t)
			filled := 0
			for client.Send(protocol.BinaryMessage(noise), time.Second) == nil {
				filled++
			}
			ok(t, client.Err())
			said := protocol.TextMessage(string(jsonOf(rand.New(rand.NewPCG(3, 4)), 1000)))
			for range 3 {
				is(t, client.Send(said, time.Second), client.TimeoutError())
			}
			for range filled {
				m, err := server.Recv(0)
				ok(t, err)
				if !bytes.Equal(m.Data, noise) {
					t.Fatalf("%d bytes", len(m.Data))
				}
			}
			for range 2 {
				ok(t, client.Send(said, 0))
				expect(t, server, said.String())
			}
		})
	})
}

// noise cannot be compressed. Its frame has as many bytes as the capacity of a
// pipe has whole parts of, so that the path is full without a part of one.
var noise = func() []byte {
	b, rng := make([]byte, 4096-8), rand.New(rand.NewPCG(8, 9))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}()

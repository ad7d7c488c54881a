package link

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// spread broadcasts a message to the connections, and fails the test unless all
// take it.
func spread(t *testing.T, data []byte, conns ...*Conn) {
	t.Helper()
	m := protocol.Message{Type: protocol.Binary, Data: data}
	report := func(_ *Conn, err error) { t.Error(err) }
	if err := Broadcast(nil, slices.Values(conns), m, &BroadcastOptions[*Conn]{MaxBacklogBytes: -1}, func(c *Conn) *Conn { return c }, report); err != nil {
		t.Error(err)
	}
}

// TestBroadcastToIdle sends to connections that wait: none needs a desk for it,
// unless it compresses.
func TestBroadcastToIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("words "), 50)
		for _, test := range []struct {
			threshold int
			desk      bool
		}{{-1, true}, {1000, false}} {
			var conns []*Conn
			for _, extensions := range [][]protocol.Extension{nil, {deflates(t, test.threshold)}} {
				c, _ := open(t, Options{}, extensions...)
				go c.Receive(nil) // ends with the connection
				conns = append(conns, c)
			}
			synctest.Wait()
			for i, c := range conns {
				c.opts.Clock.grace.over(c)
				quick := newOneShot(mustPrepare(t, data))
				d := &delivery{shipment: shipment{prepared: quick.message}}
				if done, err := c.postQuickly(quick, d); err != nil || done == (test.desk && i == 1) {
					t.Errorf("threshold %d, connection %d: sent without a desk: %t, %v", test.threshold, i, done, err)
				}
			}
		}
	})
}

func mustPrepare(t *testing.T, data []byte) *Prepared {
	t.Helper()
	p, err := Prepare(protocol.Message{Type: protocol.Binary, Data: data}, protocol.CompressAuto)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBroadcastOverTCP sends what sockets take at once and what they do not.
func TestBroadcastOverTCP(t *testing.T) {
	theirs, ours := tcpPair(t)
	theirs.SetReadDeadline(time.Now().Add(time.Minute))
	c := opened(ours, Options{Role: protocol.Server, MaxFragmentSize: -1})
	defer end(c)
	go c.Receive(nil) // ends with the connection
	var want []byte
	for i, size := range []int{0, 32, 1 << 10, 32 << 20, 32} { // the fourth is more than sockets keep
		data := bytes.Repeat([]byte{byte(i)}, size)
		spread(t, data, c)
		want = append(want, mustPrepare(t, data).message.Frame()...)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(theirs, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; the same: %t", err, bytes.Equal(got, want))
	}
}

// broken is a transport that takes no more.
type broken struct{ *pipeEnd }

func (broken) writeOnce(*once) (ok bool, err error) { return true, syscall.EPIPE }

// TestBroadcastToBroken ends the connection whose transport fails.
func TestBroadcastToBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		c.setTransport(broken{c.tr().(*pipeEnd)})
		quick := newOneShot(mustPrepare(t, nil))
		done, err := c.postQuickly(quick, &delivery{shipment: shipment{prepared: quick.message}})
		if !done || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%t, %v", done, err)
		}
		<-c.Done()
	})
}

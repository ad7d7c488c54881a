package main

import (
	"context"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// A mortal is a client whose link will go silent.
type mortal struct {
	face string
	link *faultyLink
	conn mortalConn
	wait sync.WaitGroup

	pongs uint64  // received before the fault
	end   *ending // nil as long as the demo does not know of one
}

// An ending tells how a mortal's connection ended.
type ending struct {
	who      *mortal
	at       time.Time
	lastByte time.Time // when the link last delivered one
	err      error
}

// mortalConn is what the demo needs of a connection of either face.
type mortalConn interface {
	receive() error // until the connection ends
	KeepaliveStats() keepalive.Stats
	CloseNow()
}

// A connector opens a connection of a face.
type connector func(ctx context.Context, url string, cfg keepalive.Config) (face string, conn mortalConn, err error)

// A syncClient is a client of package sync.
type syncClient struct{ *wssync.ClientConn }

// connectSync connects with package sync. A thread of its own keeps the
// connection alive.
func connectSync(_ context.Context, url string, cfg keepalive.Config) (string, mortalConn, error) {
	conn, err := wssync.Connect(url, &wssync.ClientOptions{Keepalive: cfg})
	return "sync", syncClient{conn}, err
}

func (c syncClient) receive() (err error) {
	for err == nil {
		_, err = c.Recv()
	}
	return err
}

// An asyncClient is a client of package async.
type asyncClient struct{ *wsasync.ClientConn }

// connectAsync connects with package async. A goroutine that ends with the
// connection keeps it alive.
func connectAsync(ctx context.Context, url string, cfg keepalive.Config) (string, mortalConn, error) {
	conn, err := wsasync.Connect(ctx, url, &wsasync.ClientOptions{Keepalive: cfg})
	return "async", asyncClient{conn}, err
}

func (c asyncClient) receive() (err error) {
	for err == nil {
		_, err = c.Recv(context.Background())
	}
	return err
}

// newMortal connects one over a link of its own. It tells d.ended when its
// connection has ended.
func newMortal(ctx context.Context, d *demo, connect connector) (*mortal, error) {
	link, err := newFaultyLink(d.server.Addr().String(), 0)
	if err != nil {
		return nil, err
	}
	face, conn, err := connect(ctx, link.url("/"), d.plan.keepalive())
	if err != nil {
		link.close()
		return nil, err
	}
	m := &mortal{face: face, link: link, conn: conn}
	m.wait.Go(func() { // ends with the connection
		err := conn.receive()
		d.ended <- &ending{m, time.Now(), link.lastDelivery(), err}
	})
	return m, nil
}

// keepalive returns the settings of all three clients. The phase is left to
// chance, as it is in real life.
func (p *demoPlan) keepalive() keepalive.Config {
	return keepalive.Config{Interval: p.interval, Timeout: p.timeout}
}

// close ends what is left. The connection goes first: its goroutine then has
// nothing to wait for. nil is one that was never made.
func (m *mortal) close() {
	if m == nil {
		return
	}
	m.conn.CloseNow()
	m.link.close()
	m.wait.Wait()
}

// A slowpoke is a client behind a slow link, to whom a large message is on its
// way.
type slowpoke struct {
	link *faultyLink
	conn *wsasync.ClientConn
	wait sync.WaitGroup
	got  atomic.Int64 // bytes of the message so far

	pongs    uint64
	pongAt   time.Time     // when the number last grew, or the beginning
	pongless time.Duration // the longest that it did not grow
	end      *arrival      // nil as long as the demo does not know of one
}

// An arrival tells what came of the slow client's message.
type arrival struct {
	sum uint32 // of what came
	err error  // why it did not come whole, or was not closed in good order
}

// newSlowpoke connects it over a link of its own. It tells d.arrived when it is
// done.
func newSlowpoke(ctx context.Context, d *demo) (*slowpoke, error) {
	link, err := newFaultyLink(d.server.Addr().String(), d.plan.rate)
	if err != nil {
		return nil, err
	}
	conn, err := wsasync.Connect(ctx, link.url(largePath), &wsasync.ClientOptions{
		Keepalive:      d.plan.keepalive(),
		MaxMessageSize: int64(d.plan.message),
		Compression:    protocol.Deflate{Disabled: true}, // its bytes are all alike, and are to take their time
	})
	if err != nil {
		link.close()
		return nil, err
	}
	s := &slowpoke{link: link, conn: conn, pongAt: time.Now()}
	s.wait.Go(func() { // ends with the connection
		sum, err := s.receive()
		if err == nil {
			err = conn.Close()
		}
		d.arrived <- &arrival{sum, err}
	})
	return s, nil
}

// receive receives the message in pieces, as they come.
func (s *slowpoke) receive() (sum uint32, err error) {
	_, message, err := s.conn.RecvReader(context.Background())
	if err != nil {
		return 0, err
	}
	hash := crc32.NewIEEE()
	_, err = io.Copy(io.MultiWriter(hash, s), message)
	return hash.Sum32(), err
}

// Write counts what has come of the message.
func (s *slowpoke) Write(data []byte) (int, error) {
	s.got.Add(int64(len(data)))
	return len(data), nil
}

// observe notes how long there has been no pong, and returns it.
func (s *slowpoke) observe(now time.Time) time.Duration {
	if n := s.conn.KeepaliveStats().PongsReceived; n > s.pongs {
		s.pongs, s.pongAt = n, now
	}
	since := now.Sub(s.pongAt)
	s.pongless = max(s.pongless, since)
	return since
}

func (s *slowpoke) close() {
	if s == nil {
		return
	}
	s.conn.CloseNow()
	s.link.close()
	s.wait.Wait()
}

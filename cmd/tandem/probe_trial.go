package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

// A trial is one connection that is silent for a time.
type trial struct {
	conn    *wsasync.ClientConn
	wire    *wire
	timeout time.Duration // for each pong
}

const (
	// farewell bounds the closing of a trial's connection.
	farewell = time.Second

	// settling is how long a server may talk after the opening, as many greet
	// their clients, before it counts as noise.
	settling = time.Second

	// maxInterruptions is how often the peer may break the silence until it is
	// given up. The first time may be the odd part of a period, as with a ping
	// whose phase is random; the second tells how long the period is.
	maxInterruptions = 2
)

// try opens a connection, is silent for a time, and returns what became of
// that. An error means that the connection could not be used at all, and says
// nothing about silence.
func (p *probeCall) try(ctx context.Context, url string, silence time.Duration) (outcome, error) {
	t, err := p.open(ctx, url)
	if err != nil {
		return outcome{Fate: noOutcome}, err
	}
	reading := make(chan struct{})
	go func() { // ends with the connection
		defer close(reading)
		discard(t.conn)
	}()
	defer func() { t.conn.Close(); <-reading }()
	// The pong shows that the peer answers pings, so that one without an answer
	// means something later.
	if _, err := t.roundTrip(ctx); err != nil {
		return outcome{Fate: noOutcome}, fmt.Errorf("no pong on a new connection: %w", err)
	}
	return t.beSilent(ctx, silence), nil
}

// open opens a connection that sends nothing by itself: no ping and no probe of
// TCP's own keepalive, unless the user wants to know what those achieve.
func (p *probeCall) open(ctx context.Context, url string) (*trial, error) {
	t := &trial{timeout: p.timeout}
	opts := p.opening.options()
	opts.OpenTimeout, opts.CloseTimeout = p.timeout, farewell
	opts.Keepalive = keepalive.Config{Interval: -1}
	opts.MaxMessageSize = -1 // nothing is kept of what the peer sends
	opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := p.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t.wire = newWire(conn)
		return t.wire, nil
	}
	conn, err := wsasync.Connect(ctx, url, opts)
	t.conn = conn
	return t, err
}

// dialer returns what opens network connections.
func (p *probeCall) dialer() *net.Dialer {
	if p.tcpKeepalive == 0 {
		return &net.Dialer{KeepAlive: -1}
	}
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: p.tcpKeepalive, Interval: p.tcpKeepalive,
	}}
}

// roundTrip sends a ping and waits for its pong.
func (t *trial) roundTrip(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	pong, err := t.conn.Ping(ctx, nil)
	if err != nil {
		return 0, err
	}
	return pong.Wait(ctx)
}

// beSilent waits until nothing has gone over the wire for the time, and then
// looks whether something still does. When the peer breaks the silence it
// begins anew.
func (t *trial) beSilent(ctx context.Context, silence time.Duration) outcome {
	settled := time.Now().Add(settling)
	var longest time.Duration // silence that was broken
	for interruptions := 0; ; {
		rest := silence - t.wire.idle()
		if rest <= 0 {
			return t.knock(ctx)
		}
		select {
		case <-time.After(rest):
		case <-t.conn.Done():
			return t.ended()
		case <-t.wire.heard:
			if time.Now().Before(settled) {
				continue
			}
			longest = max(longest, t.wire.before())
			if interruptions++; interruptions == maxInterruptions {
				return t.interrupted(ctx, longest)
			}
		case <-ctx.Done():
			return outcome{Fate: noOutcome, Detail: ctx.Err().Error()}
		}
	}
}

// knock pings the peer after a silence.
func (t *trial) knock(ctx context.Context) outcome {
	o := outcome{Idle: t.wire.idle(), Fate: lived}
	rtt, err := t.roundTrip(ctx)
	switch {
	case err == nil:
		o.RTT = rtt
	case ctx.Err() != nil:
		o.Fate, o.Detail = noOutcome, ctx.Err().Error()
	case errors.Is(err, context.DeadlineExceeded):
		o.Fate = forgotten
		t.conn.CloseNow() // a close frame would wait for an answer too
	default:
		o.Fate, o.Detail = fateOf(err)
	}
	return o
}

// ended tells of a connection that ended while it was silent.
func (t *trial) ended() outcome {
	f, detail := fateOf(t.conn.Err())
	// What came last may belong to the end: a close frame, or that of TLS. If
	// not, the longer silence was survived, and the end is not about idleness.
	idle := max(t.wire.idle(), t.wire.before())
	return outcome{Idle: idle, Fate: f, Seen: true, Detail: detail}
}

// interrupted tells of bytes that came: a close frame, or noise if the
// connection goes on, and the longest silence until then.
func (t *trial) interrupted(ctx context.Context, longest time.Duration) outcome {
	o := outcome{Idle: longest, Fate: noisy}
	select {
	case <-t.conn.Done():
		o.Seen = true
		o.Fate, o.Detail = fateOf(t.conn.Err())
	case <-ctx.Done():
		o.Fate, o.Detail = noOutcome, ctx.Err().Error()
	case <-time.After(2 * farewell):
	}
	return o
}

// discard reads what the peer sends and keeps nothing of it, for a pong can
// come no sooner than what was sent before it.
func discard(conn *wsasync.ClientConn) {
	for {
		_, message, err := conn.RecvReader(context.Background())
		if err != nil {
			return
		}
		io.Copy(io.Discard, message) // an error comes again from RecvReader
	}
}

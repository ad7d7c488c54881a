package link

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Counters count what happens on the connections of a server. Their methods
// may be called at any time and on nil, which counts nothing. Messages are not
// counted: very many connections would meet in one place for each.
type Counters struct {
	opened, closed       atomic.Uint64
	pings, pongs, pauses atomic.Uint64 // pongs that nobody asked for
	ends                 [ends]atomic.Uint64
	rtts                 rtts
}

// An ending is a field of keepalive.Closes.
type ending uint8

const (
	endOK ending = iota
	endRefused
	endViolation
	endLost
	endOther
	endTimeout // and the causes behind it, in their order
	ends       = endTimeout + ending(keepalive.WeWereBusy) + 1
)

// rtts are the round trips: a counter for each bucket, and the sum.
type rtts struct {
	buckets [keepalive.RTTBuckets]atomic.Uint64
	sum     atomic.Int64
}

func (n *Counters) open() {
	if n != nil {
		n.opened.Add(1)
	}
}

func (n *Counters) ping() {
	if n != nil {
		n.pings.Add(1)
	}
}

func (n *Counters) pong() {
	if n != nil {
		n.pongs.Add(1)
	}
}

func (n *Counters) pause() {
	if n != nil {
		n.pauses.Add(1)
	}
}

func (n *Counters) answered(rtt time.Duration) {
	if n != nil {
		n.rtts.buckets[keepalive.RTTBucket(rtt)].Add(1)
		n.rtts.sum.Add(int64(rtt))
	}
}

func (n *Counters) close(err *protocol.CloseError) {
	if n != nil {
		n.ends[endOf(err)].Add(1)
		n.closed.Add(1)
	}
}

// endOf tells how a connection ended. What we failed it for comes first, for
// that has made the rest happen.
func endOf(err *protocol.CloseError) ending {
	if err.Rcvd == nil && err.Sent == nil && isSystems(err.Err) {
		return endLost // the case that is quickly told
	}
	var timeout *keepalive.TimeoutError
	var violation *protocol.ViolationError
	switch {
	case errors.As(err, &timeout):
		return endTimeout + ending(min(timeout.Cause, keepalive.WeWereBusy))
	case errors.As(err, &violation), errors.Is(err, keepalive.ErrPingsTooOften):
		return endViolation
	case errors.Is(err, protocol.ErrClosedOK):
		return endOK
	case err.Rcvd != nil && (err.Sent == nil || err.RcvdThenSent):
		return endRefused
	case err.Rcvd == nil && err.Sent == nil && !errors.Is(err, ErrAborted):
		return endLost
	}
	return endOther
}

// isSystems reports whether the system says that the transport has ended.
func isSystems(err error) bool {
	_, ok := err.(syscall.Errno)
	return ok || err == io.EOF
}

// Totals returns the counts. They are read one after the other, so what happens
// meanwhile may be in some of them; but no more are closed than were opened.
func (n *Counters) Totals() keepalive.Totals {
	closed := n.closed.Load()
	opened := n.opened.Load()
	timeouts := func(c keepalive.Cause) uint64 { return n.ends[endTimeout+ending(c)].Load() }
	return keepalive.Totals{
		Open: opened - closed, Opened: opened,
		PingsSent: n.pings.Load(), PongsSent: n.pongs.Load(), Pauses: n.pauses.Load(),
		RTT: n.rtts.histogram(),
		Closes: keepalive.Closes{
			OK:             n.ends[endOK].Load(),
			Refused:        n.ends[endRefused].Load(),
			Violation:      n.ends[endViolation].Load(),
			Lost:           n.ends[endLost].Load(),
			Other:          n.ends[endOther].Load(),
			NoAnswer:       timeouts(keepalive.Unknown),
			NetworkDead:    timeouts(keepalive.NetworkDead),
			PeerStuck:      timeouts(keepalive.PeerStuck),
			PeerNotReading: timeouts(keepalive.PeerNotReading),
			WeWereBusy:     timeouts(keepalive.WeWereBusy),
		},
	}
}

func (r *rtts) histogram() (h keepalive.Histogram) {
	h.Sum = time.Duration(r.sum.Load())
	for i := range r.buckets {
		h.Counts[i] = r.buckets[i].Load()
	}
	return h
}

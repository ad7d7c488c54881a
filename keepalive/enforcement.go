package keepalive

import (
	"errors"
	"fmt"
	"time"
)

// An Enforcement bounds how often a server lets its clients ping: with very
// many of them, one that pings each second for no reason costs as much as
// twenty. The zero value does not bound it; see MaxControlFrames in the options
// for what bounds a flood.
type Enforcement struct {
	// MinInterval is how long a client has to let pass between two pings. 0
	// and less mean that it may do as it likes. Tell those who write the
	// clients.
	MinInterval time.Duration

	// Strikes is how many pings may come too early before one more closes the
	// connection. Each MinInterval brings one back. 0 means [DefaultStrikes],
	// negative none.
	//
	// Time in which a client has sent none counts for the pings that follow, a
	// quarter of an hour of it: they may have been held up on the way.
	Strikes int
}

// DefaultStrikes is that of gRPC's servers.
const DefaultStrikes = 2

// ErrPingsTooOften is found by errors.Is in every [*EnforcementError].
var ErrPingsTooOften = errors.New("keepalive: the peer pings too often")

// An EnforcementError tells that a connection was closed, with code 1008 and
// the reason "too many pings", because the peer pinged too often.
type EnforcementError struct {
	MinInterval time.Duration // the Enforcement in force
	Strikes     int
	SincePing   time.Duration // from the last ping but one to the last
}

func (e *EnforcementError) Error() string {
	return fmt.Sprintf("%v: %v after the one before, more than %d times sooner than %v",
		ErrPingsTooOften, rounded(e.SincePing), e.Strikes, e.MinInterval)
}

// Is reports true for [ErrPingsTooOften].
func (e *EnforcementError) Is(target error) bool { return target == ErrPingsTooOften }

// An Enforcer watches the pings of one peer. It is pure and not safe for
// concurrent use, like a [Monitor]; the zero value is ready, and begins with the
// first ping unless [Enforcer.Start] is called.
//
// It sees when pings arrive and not when they were sent. What it knows is that
// none can have arrived before it was sent: so the peer is to blame only if more
// have come since the start than could be sent in that time. A way that stands
// still for a minute brings the pings of that minute soon after each other, and
// with TLS each has to be read for itself.
type Enforcer struct {
	latest time.Time     // when the latest ping arrived
	paid   time.Time     // until when the pings so far have used up the time; zero: there was none
	stood  time.Duration // for how long we did not read, in all
}

// heldUp is for how long a ping may be on its way. TCP gives up sooner: Linux sends
// again for 939 seconds.
const heldUp = 16 * time.Minute

// Start takes note that the peer may ping from now on.
func (x *Enforcer) Start(now time.Time) { x.paid = now }

// Ping takes note of a ping that was read at now and returns an error when it
// is one too many. What was read at the same moment counts as one: it is we who
// did not read before.
func (x *Enforcer) Ping(now time.Time, rule Enforcement) *EnforcementError {
	if rule.MinInterval <= 0 || now.Equal(x.latest) {
		return nil
	}
	since := now.Sub(x.latest)
	x.latest = now
	x.paid = x.before(now).Add(rule.MinInterval)
	strikes := rule.strikes()
	if x.paid.Sub(now) <= time.Duration(strikes+1)*rule.MinInterval {
		return nil
	}
	return &EnforcementError{MinInterval: rule.MinInterval, Strikes: strikes, SincePing: since}
}

// before returns until when the pings before this one have used up the time. What
// was not used longer ago than a ping can be on its way is lost.
func (x *Enforcer) before(now time.Time) time.Time {
	lost := now.Add(-x.stood)
	if !x.paid.IsZero() {
		lost = lost.Add(-heldUp)
	}
	if x.paid.Before(lost) {
		return lost
	}
	return x.paid
}

// Paused takes note that reading has stood still for so long: what has come
// meanwhile was not read in that time.
func (x *Enforcer) Paused(d time.Duration) { x.stood += d }

func (r *Enforcement) strikes() int {
	if r.Strikes == 0 {
		return DefaultStrikes
	}
	return max(r.Strikes, 0)
}

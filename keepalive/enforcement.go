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
	// connection. Each MinInterval brings one back, so that pings which a slow
	// network has moved together do no harm. 0 means [DefaultStrikes], negative
	// none.
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
// concurrent use, like a [Monitor]; the zero value is ready.
type Enforcer struct {
	latest time.Time     // when the latest ping arrived
	paid   time.Time     // until when the pings so far have used up the time
	spare  time.Duration // the longest time that we did not read
}

// Ping takes note of a ping that was read at now and returns an error when it
// is one too many. What was read at the same moment counts as one: it is we who
// did not read before.
func (x *Enforcer) Ping(now time.Time, rule Enforcement) *EnforcementError {
	if rule.MinInterval <= 0 || now.Equal(x.latest) {
		return nil
	}
	since := now.Sub(x.latest)
	x.latest = now
	if x.paid.Before(now) {
		x.paid = now
	}
	x.paid = x.paid.Add(rule.MinInterval)
	strikes := rule.strikes()
	if x.paid.Sub(now) <= time.Duration(strikes+1)*rule.MinInterval+x.spare {
		return nil
	}
	return &EnforcementError{MinInterval: rule.MinInterval, Strikes: strikes, SincePing: since}
}

// Paused takes note that reading has stood still for so long: what has come
// meanwhile is read soon, and all at once.
func (x *Enforcer) Paused(d time.Duration) { x.spare = max(x.spare, d) }

func (r *Enforcement) strikes() int {
	if r.Strikes == 0 {
		return DefaultStrikes
	}
	return max(r.Strikes, 0)
}

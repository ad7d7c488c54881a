package keepalive

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// ErrTimeout is found by errors.Is in every [*TimeoutError].
var ErrTimeout = errors.New("keepalive ping timeout")

// A Cause says what became of a connection that was given up.
type Cause uint8

const (
	// Unknown: there was no answer, and the operating system does not say
	// more.
	Unknown Cause = iota

	// NetworkDead: bytes that we sent were not acknowledged by anybody. A
	// cable, a router, a NAT or the peer's machine is gone.
	NetworkDead

	// PeerStuck: the peer's machine acknowledged the ping, its program did
	// not answer. It is stopped, overloaded, or does not answer pings.
	PeerStuck

	// PeerNotReading: what we send does not leave because the peer has not
	// made room for it. Its program has stopped reading.
	PeerNotReading

	// WeWereBusy: this process was stopped, or had no turn, over and over,
	// each time when an answer was due. That we do not read, because the
	// application does not receive what has come, is no reason to give a peer
	// up; [TimeoutError.PausedNow] tells it, and the text.
	WeWereBusy
)

// String returns the cause in a few words.
func (c Cause) String() string {
	switch c {
	case NetworkDead:
		return "network dead"
	case PeerStuck:
		return "peer stuck"
	case PeerNotReading:
		return "peer not reading"
	case WeWereBusy:
		return "we were busy"
	}
	return "unknown"
}

// explanation returns the cause in words for whoever reads the error.
func (c Cause) explanation() string {
	switch c {
	case NetworkDead:
		return "the network is dead: nothing acknowledges what we send"
	case PeerStuck:
		return "the peer is stuck: its system acknowledged the ping, its program did not answer"
	case PeerNotReading:
		return "the peer is not reading: it makes no room for what we send"
	case WeWereBusy:
		return "we were busy: this process was stopped, or had no turn, each time when an answer was due"
	}
	return "no answer to a ping"
}

// A TimeoutError says why a peer was given up, and what was seen. It is a
// net.Error: Timeout returns true.
type TimeoutError struct {
	Cause Cause

	PingInterval time.Duration // the Config in force; negative: off
	PingTimeout  time.Duration

	PingDue   time.Time     // when the oldest unanswered ping was due
	Waited    time.Duration // since then
	PingSent  bool          // the latest ping was handed to the transport
	SentAt    time.Time     // when it was; zero if it was not, or nobody knows
	SinceSent time.Duration // since then
	LastByte  time.Time     // when the last byte arrived; zero if none did
	SinceByte time.Duration // since then, or since the start

	Paused    time.Duration // for how long in all reading stood still
	PausedNow bool          // and whether it does
	Late      time.Duration // by how much later than it should be this was noticed, if we were stopped again and again; else 0

	Queued      int           // received messages that wait for the application
	QueuedBytes int           // and their bytes
	Unsent      int64         // bytes that wait at our own door
	RTT         time.Duration // smoothed round-trip time, 0 if no ping was answered

	Transport Transport // what the operating system said

	// Err is the operating system's own time-out, if that has ended the
	// connection: TCP has given up to send again, or what a user set with
	// TCP_USER_TIMEOUT is over. Then PingDue and Waited are zero unless a ping
	// was unanswered. nil: it was keepalive that gave up.
	Err error

	// Watched tells that the connection is another library's (see [Watch]).
	// Then LastByte is when the last pong, or message told of, was read, and a
	// pong that nobody reads is as good as none.
	Watched bool
}

// seen returns what there is to say at t, without a cause.
func (m *Monitor) seen(t time.Duration, ev *Evidence) *TimeoutError {
	e := &TimeoutError{
		PingInterval: m.interval, PingTimeout: m.timeout, PingSent: ev.PingSent,
		LastByte: ev.LastByte, SinceByte: t - m.before(t, ev.LastByte),
		Paused: ev.Paused, PausedNow: ev.PausedNow,
		Queued: ev.Queued, QueuedBytes: ev.QueuedBytes, Unsent: ev.Unsent, RTT: ev.RTT,
	}
	if m.unanswered() {
		e.PingDue, e.Waited = m.start.Add(m.base), t-m.base
	}
	if ev.PingSent && !ev.WriteProgress.IsZero() {
		e.SentAt, e.SinceSent = ev.WriteProgress, t-m.before(t, ev.WriteProgress)
	}
	if ev.Inspected {
		e.Transport = ev.Transport
	}
	return e
}

// cause tells from what was seen who is to blame. The transport's word comes
// first, for it knows about the network; a closed window comes before missing
// acknowledgements, for its probes are far apart. A user's TCP_USER_TIMEOUT ends
// also a connection whose peer lives and only does not read.
func (e *TimeoutError) cause() Cause {
	tr := &e.Transport
	switch {
	case tr.windowClosed():
		return PeerNotReading
	case e.Err != nil:
		return NetworkDead
	case !tr.Known && e.stopped():
		return WeWereBusy
	case !tr.Known && !e.PingSent:
		return PeerNotReading // our own write did not get on
	case !tr.Known:
		return Unknown
	case tr.Unacked > 0 && (tr.SinceAck >= e.PingTimeout || tr.Retransmits > 0):
		return NetworkDead
	case !e.PingSent || tr.Unacked > 0 && !tr.PingAcked:
		return PeerNotReading
	case e.stopped():
		return WeWereBusy
	}
	return PeerStuck
}

// stopped reports that we did not run when the time was over: the answer may
// have come, had we been there to see it. Nobody is given up the first time.
func (e *TimeoutError) stopped() bool { return e.Late > tolerance(e.PingTimeout) }

// Error tells the cause and what was seen.
func (e *TimeoutError) Error() string {
	gaveUp := ErrTimeout
	if e.Err != nil {
		gaveUp = e.Err
	}
	return fmt.Sprintf("%v: %s (%s)", gaveUp, e.explanation(), strings.Join(e.details(), ", "))
}

// explanation does not blame the peer for what may be another's fault.
func (e *TimeoutError) explanation() string {
	switch {
	case e.Watched && e.Cause == Unknown:
		return "no pong was read: the peer or the network is dead, or nobody reads from the connection"
	case e.PausedNow:
		return e.Cause.explanation() + "; and we were busy: reading was paused because the application does not receive"
	}
	return e.Cause.explanation()
}

// lastSeen tells when there was a sign of life.
func (e *TimeoutError) lastSeen() string {
	switch {
	case e.Watched && e.LastByte.IsZero():
		return "no pong was ever read"
	case e.Watched:
		return fmt.Sprintf("last pong or message read %v ago", rounded(e.SinceByte))
	}
	return fmt.Sprintf("last byte received %v ago", rounded(e.SinceByte))
}

func (e *TimeoutError) details() []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if !e.PingDue.IsZero() {
		add("%v since the ping was due", rounded(e.Waited))
		if !e.PingSent {
			add("it was not sent")
		}
	}
	if !e.SentAt.IsZero() {
		add("latest ping sent %v ago", rounded(e.SinceSent))
	}
	list = append(list, e.lastSeen())
	if e.Paused > 0 {
		add("reading paused for %v", rounded(e.Paused))
	}
	if e.stopped() {
		add("noticed %v late", rounded(e.Late))
	}
	if e.Queued > 0 {
		add("%d messages (%d bytes) not received by the application", e.Queued, e.QueuedBytes)
	}
	if e.Unsent > 0 {
		add("%d bytes not written", e.Unsent)
	}
	if tr := &e.Transport; tr.Known {
		add("%d bytes unacknowledged", tr.Unacked)
		add("last acknowledgement %v ago", rounded(tr.SinceAck))
		if tr.SendWindow == 0 {
			add("its window is closed")
		}
		if tr.Retransmits > 0 {
			add("%d retransmissions", tr.Retransmits)
		}
	}
	if e.RTT > 0 {
		add("usual round trip %v", rounded(e.RTT))
	}
	return list
}

// LogValue returns what was seen as attributes for log/slog, for those who
// search their logs by them.
func (e *TimeoutError) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("cause", e.Cause.String()),
		slog.Duration("waited", e.Waited),
		slog.Bool("ping_sent", e.PingSent),
		slog.Duration("since_sent", e.SinceSent),
		slog.Duration("since_byte", e.SinceByte),
		slog.Duration("paused", e.Paused),
		slog.Bool("paused_now", e.PausedNow),
		slog.Duration("late", e.Late),
		slog.Int("queued", e.Queued),
		slog.Int("queued_bytes", e.QueuedBytes),
		slog.Int64("unsent", e.Unsent),
		slog.Duration("rtt", e.RTT),
	}
	if tr := &e.Transport; tr.Known {
		attrs = append(attrs,
			slog.Int64("unacked", tr.Unacked),
			slog.Duration("since_ack", tr.SinceAck),
			slog.Int64("send_window", tr.SendWindow),
			slog.Int("retransmits", tr.Retransmits))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return slog.GroupValue(attrs...)
}

// rounded leaves out digits that nobody needs.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// Unwrap returns Err.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Is reports true for [ErrTimeout].
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// Timeout returns true: the error is a net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary returns false: the connection is lost.
func (e *TimeoutError) Temporary() bool { return false }

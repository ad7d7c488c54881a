package keepalive

import "time"

// Evidence is what a connection knows when it asks its [Monitor] what to do.
// It is a plain value, cheap to fill: only [Evidence.Transport] may cost a
// system call, and it is wanted only when the Monitor answered [Inspect].
//
// The times are of the clock that gives the Monitor its now. One that lies in
// the future is taken as now, one before the start as the start.
type Evidence struct {
	// LastByte is when the last byte arrived from the peer; zero if none did.
	// Every byte counts, also one in the middle of a frame.
	LastByte time.Time

	// Answered is [Action.Due] of the latest keepalive ping whose pong came;
	// zero if none did. It is what proves life under [Config.Strict].
	Answered time.Time

	// Paused is for how long in all, since the start, reading has stood still
	// because the application does not receive what has come; the pause under
	// way is included. PausedNow tells whether there is one.
	Paused    time.Duration
	PausedNow bool

	// PingSent tells whether the latest keepalive ping was handed to the
	// transport. It does not matter before the first ping.
	PingSent bool

	// WriteProgress is when the transport last took bytes, of a write that is
	// under way or of data that was ahead of the ping, or of the ping itself.
	// From when PingSent is true it stays as it is until the next ping: what
	// is behind a ping says nothing of it.
	WriteProgress time.Time

	// Written is how many bytes, of frames of every kind, have been handed to
	// the transport since the start. Only its growth from one ping to the next
	// matters: it tells an idle connection, which is not worth a system call,
	// from one that has data on the way.
	Written int64

	// Unsent is how many bytes wait at our own door: accepted from the
	// application, and not yet taken by the transport.
	Unsent int64

	// Queued is how many received messages wait for the application, and
	// QueuedBytes how many bytes they have. For the error's text alone.
	Queued      int
	QueuedBytes int

	// RTT is the smoothed round-trip time. For the error's text alone.
	RTT time.Duration

	// Inspected tells that Transport was filled for this call. It is looked
	// at only in the call that follows on [Inspect].
	Inspected bool
	Transport Transport
}

// A Transport is what the operating system, or an in-memory link, says of its
// own knowledge about the peer. The names in parentheses are fields of Linux's
// TCP_INFO.
type Transport struct {
	// Known tells that the other fields mean something.
	Known bool

	// Unacked is how many bytes were handed to the transport and not yet
	// acknowledged by the peer's, those not yet sent included.
	Unacked int64

	// PingAcked tells that the latest keepalive ping is among what was
	// acknowledged.
	PingAcked bool

	// Acked grows with everything that the peer's transport acknowledges, in
	// order (tcpi_bytes_acked) or behind something that was lost on the way
	// (tcpi_delivered). Only its growth matters.
	Acked int64

	// Unread is how many bytes have arrived and were not read: we did not come
	// to it, or something is missing before them, which can take seconds to be
	// sent again. What the system needs to keep them may be counted too
	// (SK_MEMINFO_RMEM_ALLOC); all that matters is whether there are any.
	Unread int64

	// SinceArrival is how long ago the last of what is unread arrived, as far
	// as that is known, and else how long ago the last acknowledgement came.
	SinceArrival time.Duration

	// SinceData is how long ago the last data arrived that miss nothing before
	// them, read or not (tcpi_last_data_recv); 0 if that is not known. Whoever
	// reads may have taken them from the system and not have had a turn since,
	// or may wait for the rest of a TLS record.
	SinceData time.Duration

	// SinceAck is how long ago the last acknowledgement of any kind came, one
	// that acknowledges nothing new included (tcpi_last_ack_recv). One that comes
	// with data and tells nothing new may be left out.
	SinceAck time.Duration

	// RTO is how long the transport waits for an acknowledgement before it sends
	// again (tcpi_rto); 0 if that is not known. It is more than the round trip,
	// which is long where much waits in a queue on the way.
	RTO time.Duration

	// SendWindow is how many bytes the peer is ready to receive
	// (tcpi_snd_wnd): 0 when it does not read, -1 when this is not known.
	SendWindow int64

	// Retransmits is how many times in a row something was sent again and not
	// acknowledged: data (tcpi_retransmits) or probes of a closed window
	// (tcpi_probes).
	Retransmits int
}

// trusts returns for how much longer the transport will wait for an
// acknowledgement before it begins to doubt that one comes, when none has come
// for the timeout.
func (t *Transport) trusts(timeout time.Duration) time.Duration {
	if t.Unacked <= 0 || t.Retransmits > 0 || t.SinceAck < timeout {
		return 0
	}
	return max(t.RTO-t.SinceAck, 0)
}

// tries returns how long it takes at most until the transport has sent again what
// it may have been given this very moment; 0 if it has sent something again, or
// nothing is known. What is not acknowledged by then has been lost.
func (t *Transport) tries() time.Duration {
	if t.Retransmits > 0 {
		return 0
	}
	return t.RTO
}

// windowClosed reports that the peer says it cannot receive. Its probes may be
// a minute and more apart, so a long silence means nothing here; two
// unanswered ones do.
func (t *Transport) windowClosed() bool {
	return t.Known && t.SendWindow == 0 && t.Retransmits < 2
}

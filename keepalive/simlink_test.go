package keepalive

import (
	"math/rand/v2"
	"time"
)

// A simLink is a small model of a connection: two kernels, a way between them
// that takes time and may die, and an application and a process on our side
// that do not always run. All of it follows from a seed.
type simLink struct {
	rng *rand.Rand
	simTrouble

	rtt   time.Duration // at most half a timeout, the peer's share included
	death time.Duration // from then on nothing arrives anywhere

	// Our process and our application.
	stops, pauses spans

	// Data that the application sends now and then: it takes until the end of
	// its span to get away, a chunk at a time.
	drains spans
	chunk  time.Duration

	now      time.Duration
	pings    []simPing
	lastByte time.Duration // as it was read; negative: none
	answered time.Duration // due, of the latest ping whose pong was read
}

// simTrouble is what may happen in one run.
type simTrouble struct {
	late    bool // the runner is late by up to the tolerance
	stopped bool // the process is stopped for longer
	jumps   bool // the wall clock jumps ahead
	paused  bool // reading is paused now and then
	drain   bool // data is ahead of the pings
	atDoor  bool // ... at our own door, and not in the kernel
	known   bool // the kernel tells what it knows
	chatty  bool // the peer sends of its own accord
}

type simPing struct{ due, leaves time.Duration }

// spans are times that do not overlap, in order.
type spans []struct{ from, to time.Duration }

// within returns the span that d lies in.
func (s spans) within(d time.Duration) (to time.Duration, ok bool) {
	for _, span := range s {
		if span.from <= d && d < span.to {
			return span.to, true
		}
	}
	return 0, false
}

// sum returns how much of the time until d lies in spans.
func (s spans) sum(d time.Duration) (sum time.Duration) {
	for _, span := range s {
		sum += max(min(span.to, d)-span.from, 0)
	}
	return sum
}

// newSpans makes spans of up to long until end, with gaps between them.
func (l *simLink) newSpans(end, gap, long time.Duration) (s spans) {
	for from := l.upTo(gap); from < end; {
		to := from + l.upTo(long)
		s = append(s, struct{ from, to time.Duration }{from, to})
		from = to + gap/8 + l.upTo(gap)
	}
	return s
}

func (l *simLink) upTo(d time.Duration) time.Duration {
	return time.Duration(l.rng.Int64N(int64(d))) + 1
}

// newSimLink makes a link for a schedule with this configuration.
func newSimLink(rng *rand.Rand, trouble simTrouble, cfg Config, end time.Duration) *simLink {
	l := &simLink{rng: rng, simTrouble: trouble, death: 2 * end, lastByte: -1}
	l.rtt = l.upTo(cfg.Timeout / 2)
	l.chunk = l.upTo(cfg.Timeout / 4)
	if trouble.stopped {
		l.stops = l.newSpans(end, 4*cfg.Interval, 3*cfg.Timeout)
	}
	if trouble.paused {
		l.pauses = l.newSpans(end, 3*cfg.Interval, 4*cfg.Timeout)
	}
	if trouble.drain {
		l.drains = l.newSpans(end, 3*cfg.Interval, 6*cfg.Timeout)
	}
	return l
}

// send takes a ping, which leaves when what is ahead of it has left.
func (l *simLink) send(due time.Duration) {
	leaves := l.now
	if to, ok := l.drains.within(l.now); ok {
		leaves = to
	}
	l.pings = append(l.pings, simPing{due, leaves})
}

// readAt returns when our process reads what arrives at d: when it is neither
// stopped nor paused. After a stop the runner comes first, and a moment later
// the reader.
func (l *simLink) readAt(d, moment time.Duration) time.Duration {
	for {
		if to, ok := l.stops.within(d); ok {
			d = to + moment
		} else if to, ok := l.pauses.within(d); ok {
			d = to
		} else {
			return d
		}
	}
}

// read brings what was read up to date.
func (l *simLink) read(moment time.Duration) {
	for _, p := range l.pings {
		arrives := p.leaves + l.rtt
		if at := l.readAt(arrives, moment); arrives < l.death && at <= l.now {
			l.lastByte = max(l.lastByte, at)
			l.answered = max(l.answered, p.due)
		}
	}
	if l.chatty {
		// A byte every third of a round trip, as far as it was read.
		arrives := min(l.now, l.death-1)
		arrives -= arrives % (l.rtt/3 + ms)
		if at := l.readAt(arrives, moment); at <= l.now {
			l.lastByte = max(l.lastByte, at)
		}
	}
}

// progress returns when data last moved: chunks leave from the start of a
// drain to its end, as long as the link lives.
func (l *simLink) progress() (last time.Duration, steps int64) {
	for _, span := range l.drains {
		until := min(span.to, l.now, l.death)
		if until < span.from {
			continue
		}
		n := (until - span.from) / l.chunk
		last, steps = max(last, span.from+n*l.chunk), steps+int64(n)+1
		if until == span.to {
			last, steps = span.to, steps+1
		}
	}
	return last, steps
}

// evidence is what our side knows.
func (l *simLink) evidence() Evidence {
	moved, steps := l.progress()
	ev := Evidence{Answered: at(l.answered), Paused: l.pauses.sum(l.now), PingSent: true, Written: steps * 1000}
	if l.lastByte >= 0 {
		ev.LastByte = at(l.lastByte)
	}
	_, ev.PausedNow = l.pauses.within(l.now)
	if n := len(l.pings); n > 0 && l.atDoor {
		leaves := l.pings[n-1].leaves
		ev.PingSent = leaves <= min(l.now, l.death-1)
		ev.WriteProgress = at(min(moved, leaves))
	}
	if !ev.PingSent || l.rng.IntN(20) == 0 {
		ev.Unsent = 100
	}
	return ev
}

// inspect is what the kernel knows: of pings and of chunks, each acknowledged
// when it is there; the peer's kernel never sleeps.
func (l *simLink) inspect() (tr Transport) {
	if !l.known {
		return tr
	}
	lastAck, steps := l.progress()
	tr = Transport{Known: true, Acked: 100 + 1000*steps, SendWindow: 1000, PingAcked: true}
	if _, ok := l.drains.within(min(l.now, l.death)); ok {
		tr.Unacked = 1000
	}
	for _, p := range l.pings {
		acked := p.leaves + l.rtt
		tr.PingAcked = acked <= l.now && acked < l.death
		if tr.PingAcked {
			lastAck = max(lastAck, acked)
			tr.Acked += 10
		} else {
			tr.Unacked += 10
		}
	}
	tr.SinceAck = l.now - lastAck
	return tr
}

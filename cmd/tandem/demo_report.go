package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// tell writes a line with the time since the beginning.
func (d *demo) tell(format string, args ...any) {
	fmt.Fprintf(d.out, "%5.1f s  %s\n", time.Since(d.begun).Seconds(), fmt.Sprintf(format, args...))
}

// add writes a line that belongs to the one before.
func (d *demo) add(format string, args ...any) {
	fmt.Fprintf(d.out, "         %s\n", fmt.Sprintf(format, args...))
}

// introduce says what will happen, so that what follows needs few words.
func (d *demo) introduce() {
	p := d.plan
	fmt.Fprintf(d.out, `A server on loopback, and three clients. Each pings every %v and gives the
server up when a ping brings no sign of life for %v.

  sync, async   behind a proxy whose link goes silent after %v
  slow          behind a proxy that carries %d kB/s; a message of %d kB is on
                its way to it, and every pong has to wait behind that

`, p.interval, p.timeout, p.healthy, p.rate>>10, p.message>>10)
}

// tellRow writes how all of them are.
func (d *demo) tellRow() {
	now := time.Now()
	var row strings.Builder
	for _, m := range d.mortal {
		fmt.Fprintf(&row, "%-6s%-22s", m.face, d.condition(m, now))
	}
	d.tell("%s%s", row.String(), d.slowCondition(now))
}

// condition tells the latest round trip of a client, or for how long there has
// been nothing.
func (d *demo) condition(m *mortal, now time.Time) string {
	stats := m.conn.KeepaliveStats()
	switch {
	case m.end != nil:
		return "gone"
	case !d.faultAt.IsZero():
		return fmt.Sprintf("silent for %.1f s", now.Sub(stats.LastByte).Seconds())
	case stats.PongsReceived == 0:
		return "-"
	}
	return fmt.Sprintf("rtt %s", milliseconds(stats.LastRTT))
}

// slowCondition tells how much of the message has come, and for how long no
// pong could get past it.
func (d *demo) slowCondition(now time.Time) string {
	waiting := d.slow.observe(now)
	if d.slow.end != nil {
		return "slow  done"
	}
	return fmt.Sprintf("slow  %3d%% here, no pong for %.1f s", d.slow.got.Load()*100/int64(d.plan.message), waiting.Seconds())
}

// tellFault tells of the fault, and why the cause that will be named is the
// right one, though nothing is stuck.
func (d *demo) tellFault() {
	d.tell("--- the links of sync and async go silent; nothing is closed ---")
	d.add("The proxy's TCP still acknowledges what we send, as that of a machine does")
	d.add("whose program hangs, so the peer will look stuck, where the system tells us")
	d.add("(Linux does); behind a cut cable the network would look dead.")
}

// tellEnd tells what a client says about the end of its connection.
func (d *demo) tellEnd(end *ending) {
	after := end.at.Sub(end.lastByte)
	d.tell("%s: the peer is gone, noticed %.2f s after the last byte", end.who.face, after.Seconds())
	var timeout *keepalive.TimeoutError
	if !errors.As(end.err, &timeout) {
		d.add("%v", end.err)
		return
	}
	d.add("error: %v", timeout)
	d.add("cause: %v", timeout.Cause)
}

// tellArrival tells that the slow client is done.
func (d *demo) tellArrival() {
	d.slow.observe(time.Now())
	d.tell("slow: the message is here")
}

// A finding is something that should have happened, and whether it did.
type finding struct {
	ok   bool
	text string
	seen string
}

// findings returns what should have happened.
func (d *demo) findings() []finding {
	var list []finding
	for _, m := range d.mortal {
		list = append(list, m.answered(), m.reported(d.faultAt, d.plan.allowed()))
	}
	return append(list, d.slow.waited(d.plan.timeout), d.slow.stayed(d.server.sum()))
}

// answered: while the link was healthy, pings were answered.
func (m *mortal) answered() finding {
	return finding{m.pongs > 0, m.face + ": pings were answered before the fault", fmt.Sprintf("%d pongs", m.pongs)}
}

// reported: keepalive gave the peer up after the fault, in time, and said why.
func (m *mortal) reported(faultAt time.Time, allowed time.Duration) finding {
	f := finding{text: fmt.Sprintf("%s: reported the silent link within %.2f s of the last byte", m.face, allowed.Seconds())}
	var timeout *keepalive.TimeoutError
	switch {
	case m.end == nil:
		f.seen = "not at all"
	case !errors.As(m.end.err, &timeout):
		f.seen = "another error: " + m.end.err.Error()
	case faultAt.IsZero() || m.end.at.Before(faultAt):
		f.seen = "before the fault"
	default:
		after := m.end.at.Sub(m.end.lastByte)
		f.ok = after <= allowed
		f.seen = fmt.Sprintf("%.2f s, %v", after.Seconds(), timeout.Cause)
	}
	return f
}

// waited: the slow link was a trial, for its pongs came too late for a
// keepalive that counts nothing but pongs.
func (s *slowpoke) waited(timeout time.Duration) finding {
	return finding{
		s.pongless > timeout,
		fmt.Sprintf("slow: no pong for more than the timeout of %v", timeout),
		fmt.Sprintf("%.1f s", s.pongless.Seconds()),
	}
}

// stayed: all the same it was not dropped, and the message came whole.
func (s *slowpoke) stayed(sum uint32) finding {
	f := finding{text: "slow: was not dropped, got the whole message and closed in good order"}
	switch {
	case s.end == nil:
		f.seen = "the message did not come in time"
	case s.end.err != nil:
		f.seen = s.end.err.Error()
	case s.end.sum != sum:
		f.seen = "the message is damaged"
	default:
		f.ok, f.seen = true, fmt.Sprintf("%d kB", s.got.Load()>>10)
	}
	return f
}

// writeFindings writes them, and reports whether all is well.
func (d *demo) writeFindings(list []finding) (ok bool) {
	ok = true
	fmt.Fprintln(d.out)
	for _, f := range list {
		mark := "✓"
		if !f.ok {
			mark, ok = "✗", false
		}
		fmt.Fprintf(d.out, "  %s %s: %s\n", mark, f.text, escape(f.seen))
	}
	if !ok {
		fmt.Fprintln(d.out, "\nNot everything happened that should have.")
		return false
	}
	fmt.Fprintln(d.out, "\nAll as it should be.")
	return true
}

package keepalive

import (
	"bufio"
	"fmt"
	"io"
)

// Totals are what a server has counted on all of its connections, those that
// have ended included. It is a plain value, for a page of statistics, for
// expvar (as JSON, with times in nanoseconds) or for [Totals.WritePrometheus].
type Totals struct {
	Open   uint64 // connections now
	Opened uint64 // since the start

	PingsSent uint64 // the application's included
	PongsSent uint64 // that nobody asked for: those of ModePong
	Pauses    uint64 // how often reading stopped because a queue was full

	RTT    Histogram // of the pings that were answered
	Closes Closes    // of the connections that have ended
}

// Closes counts connections by how they ended. The first that fits counts.
type Closes struct {
	// The peer was given up, by us or by the operating system; see Cause.
	NoAnswer, NetworkDead, PeerStuck, PeerNotReading, WeWereBusy uint64

	Violation uint64 // the peer broke the protocol or a limit of ours
	OK        uint64 // as both sides wanted: code 1000, 1001 or none each way
	Refused   uint64 // the peer's close frame came first and had another code
	Lost      uint64 // the transport ended without a close frame
	Other     uint64 // we failed or cut it, or the peer did not answer our close frame
}

// Each calls f for each of the counts, with a name for it in small letters.
func (c *Closes) Each(f func(cause string, n uint64)) {
	f("ok", c.OK)
	f("no_answer", c.NoAnswer)
	f("network_dead", c.NetworkDead)
	f("peer_stuck", c.PeerStuck)
	f("peer_not_reading", c.PeerNotReading)
	f("we_were_busy", c.WeWereBusy)
	f("violation", c.Violation)
	f("refused", c.Refused)
	f("lost", c.Lost)
	f("other", c.Other)
}

// WritePrometheus writes the totals in the text format of Prometheus, version
// 0.0.4, each name beginning with prefix, such as "websocket". labels is "" or
// what tells several servers apart, such as `server="chat"`.
func (t *Totals) WritePrometheus(w io.Writer, prefix, labels string) error {
	x := &exposition{w: bufio.NewWriter(w), prefix: prefix, labels: labels}
	x.family("connections", "gauge", "Open connections.")
	x.sample("connections", "", t.Open)
	x.counter("connections_opened_total", "Connections opened.", t.Opened)
	x.counter("pings_sent_total", "Pings sent.", t.PingsSent)
	x.counter("pongs_sent_total", "Pongs sent that nobody asked for.", t.PongsSent)
	x.counter("pauses_total", "Times that reading paused because a queue was full.", t.Pauses)
	x.family("connections_closed_total", "counter", "Connections that ended, by cause.")
	t.Closes.Each(func(cause string, n uint64) {
		x.sample("connections_closed_total", fmt.Sprintf("cause=%q", cause), n)
	})
	x.histogram("ping_rtt_seconds", "Round trips of pings.", &t.RTT)
	return x.w.Flush() // which has kept the first error
}

// An exposition is metrics as text.
type exposition struct {
	w              *bufio.Writer
	prefix, labels string
}

func (x *exposition) counter(name, help string, n uint64) {
	x.family(name, "counter", help)
	x.sample(name, "", n)
}

func (x *exposition) family(name, kind, help string) {
	fmt.Fprintf(x.w, "# HELP %s_%s %s\n# TYPE %[1]s_%[2]s %[4]s\n", x.prefix, name, help, kind)
}

// sample writes one line; label is one more than those of all.
func (x *exposition) sample(name, label string, value any) {
	labels := x.labels
	if labels != "" && label != "" {
		labels += ","
	}
	if labels += label; labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(x.w, "%s_%s%s %v\n", x.prefix, name, labels, value)
}

// histogram writes a bucket for each bound, which counts all below it too.
func (x *exposition) histogram(name, help string, h *Histogram) {
	x.family(name, "histogram", help)
	for bound, n := range h.Cumulative() {
		le := "+Inf"
		if bound > 0 {
			le = fmt.Sprint(bound.Seconds())
		}
		x.sample(name+"_bucket", fmt.Sprintf("le=%q", le), n)
	}
	x.sample(name+"_sum", "", h.Sum.Seconds())
	x.sample(name+"_count", "", h.Count())
}

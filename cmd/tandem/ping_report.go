package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/term"
)

// A pingReport is how what ping sees is written.
type pingReport interface {
	begin(remote net.Addr)
	pong(seq int, rtt time.Duration)
	lost(seq int) // no pong came in time
	end(*pingStats, error)
}

// newReport returns the report for who reads it: a program that asked for JSON,
// somebody at a terminal, or whatever is at the end of a pipe.
func (p *pingCall) newReport(url string, out io.Writer) pingReport {
	text := pingText{url: url, timeout: p.timeout, out: out}
	if p.json {
		return &pingJSON{url, json.NewEncoder(out)}
	}
	if file, ok := terminalFile(out); ok {
		return &pingTerminal{pingText: text, width: func() int {
			width, _, err := term.GetSize(int(file.Fd()))
			if err != nil {
				return 0
			}
			return width
		}}
	}
	return &text
}

// pingText writes as ping(8) does.
type pingText struct {
	url     string
	timeout time.Duration
	out     io.Writer
	remote  net.Addr // nil until there is a connection
}

func (t *pingText) begin(remote net.Addr) {
	t.remote = remote
	fmt.Fprintf(t.out, "PING %s (%v)\n", escape(t.url), remote)
}

func (t *pingText) pong(seq int, rtt time.Duration) {
	fmt.Fprintf(t.out, "pong from %v: seq=%d rtt=%s\n", t.remote, seq, milliseconds(rtt))
}

func (t *pingText) lost(seq int) {
	fmt.Fprintf(t.out, "no pong for seq=%d within %v\n", seq, t.timeout)
}

// end writes the statistics, if there was a connection to have some about.
func (t *pingText) end(stats *pingStats, _ error) {
	if t.remote != nil {
		fmt.Fprintf(t.out, "\n--- %s ---\n%s", escape(t.url), stats)
	}
}

// pingTerminal writes the same, and has a sparkline of the round trips below
// the latest line.
type pingTerminal struct {
	pingText
	spark sparkline
	width func() int // of the window, in columns; 0: not known
}

// eraseLine goes to the line's beginning and erases it.
const eraseLine = "\r\x1b[K"

func (t *pingTerminal) pong(seq int, rtt time.Duration) {
	io.WriteString(t.out, eraseLine)
	t.pingText.pong(seq, rtt)
	t.draw(rtt)
}

func (t *pingTerminal) lost(seq int) {
	io.WriteString(t.out, eraseLine)
	t.pingText.lost(seq)
	t.draw(missing)
}

// draw adds a round trip to the sparkline and draws it. It stays out of the
// last column, from which some terminals go on to the next line.
func (t *pingTerminal) draw(rtt time.Duration) {
	t.spark.add(rtt)
	width := t.width()
	if width <= 0 {
		width = 80 // what a terminal has that does not say
	}
	io.WriteString(t.out, t.spark.draw(width-1))
}

// end leaves the sparkline where it is.
func (t *pingTerminal) end(stats *pingStats, err error) {
	if len(t.spark.values) > 0 {
		fmt.Fprintln(t.out)
	}
	t.pingText.end(stats, err)
}

// pingJSON writes for programs, an object a line. Times are in seconds.
type pingJSON struct {
	url string
	out *json.Encoder
}

// A pingLine is one ping and what became of it.
type pingLine struct {
	Type string   `json:"type"` // "pong" or "lost"
	Seq  int      `json:"seq"`
	RTT  *float64 `json:"rtt,omitempty"` // of a pong
}

func (j *pingJSON) begin(net.Addr) {}

func (j *pingJSON) pong(seq int, rtt time.Duration) {
	j.out.Encode(pingLine{"pong", seq, inSeconds(rtt)})
}

func (j *pingJSON) lost(seq int) { j.out.Encode(pingLine{"lost", seq, nil}) }

// A pingSummary is the last object. Round trips are absent when no pong came.
type pingSummary struct {
	Type     string   `json:"type"` // "summary"
	URL      string   `json:"url"`
	Sent     int      `json:"sent"`
	Received int      `json:"received"`
	Loss     float64  `json:"loss"` // in per cent
	Min      *float64 `json:"min,omitempty"`
	Avg      *float64 `json:"avg,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Jitter   *float64 `json:"jitter,omitempty"`
	Error    string   `json:"error,omitempty"` // why it ended, unless as planned
}

func (j *pingJSON) end(stats *pingStats, err error) {
	summary := pingSummary{Type: "summary", URL: j.url, Sent: stats.sent, Received: stats.received, Loss: stats.loss()}
	if stats.received > 0 {
		summary.Min, summary.Avg = inSeconds(stats.least), inSeconds(stats.average())
		summary.Max, summary.Jitter = inSeconds(stats.greatest), inSeconds(stats.jitter())
	}
	if err != nil {
		summary.Error = err.Error()
	}
	j.out.Encode(summary)
}

// inSeconds returns a time that is there, even if it is 0.
func inSeconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/tandemws/tandem/keepalive"
)

// A probeReport is how a probe is written.
type probeReport interface {
	begin()
	trial(outcome)
	end(*search, error)
}

func (p *probeCall) newReport(url string, out io.Writer) probeReport {
	if p.json {
		return &probeJSON{url, json.NewEncoder(out)}
	}
	return &probeText{p, url, out}
}

// probeText writes for people.
type probeText struct {
	call *probeCall
	url  string
	out  io.Writer
}

func (t *probeText) begin() {
	tcp := "TCP keepalive is off"
	if t.call.tcpKeepalive > 0 {
		tcp = fmt.Sprintf("TCP probes every %v", t.call.tcpKeepalive)
	}
	fmt.Fprintf(t.out, "PROBE %s: silences of up to %v, %d at a time; %s\n",
		escape(t.url), t.call.longest, t.call.parallel, tcp)
}

func (t *probeText) trial(o outcome) {
	fmt.Fprintf(t.out, "idle for %9s: %s\n", seconds(o.Idle), o.describe())
}

func (t *probeText) end(s *search, _ error) {
	fmt.Fprintf(t.out, "\n--- %s ---\n", escape(t.url))
	writeVerdict(t.out, s)
}

// writeVerdict writes what is known in the end, and what follows from it.
func writeVerdict(out io.Writer, s *search) {
	if !s.complete() {
		fmt.Fprintln(out, "The search did not come to its end.")
	}
	switch {
	case s.blank():
		fmt.Fprintln(out, "Nothing is known.")
		return
	case s.ended.Idle == 0:
		fmt.Fprintf(out, "No idle timeout up to %s.\n", seconds(s.alive()))
	default:
		fmt.Fprintf(out, "Idle timeout: %s\nSurvived: %s\n", timeoutText(s), seconds(s.alive()))
		fmt.Fprintf(out, "How it ends: %s\n%s", s.ended.describe(), explainFate(&s.ended))
	}
	writeDoubts(out, s)
	fmt.Fprintf(out, "Recommended keepalive interval: %v, or less\n", s.recommend())
}

// timeoutText tells the timeout as exactly as it is known.
func timeoutText(s *search) string {
	if s.ended.Seen {
		return seconds(s.ended.Idle)
	}
	return fmt.Sprintf("between %s and %s", seconds(s.alive()), seconds(s.ended.Idle))
}

// explainFate says who does such a thing.
func explainFate(o *outcome) string {
	switch o.Fate {
	case closeFrame:
		return "  So it is the WebSocket server that looks at the time, or a proxy that speaks\n  WebSocket.\n"
	case fin, reset:
		return "  Proxies and load balancers end idle connections so, and servers that leave\n  WebSocket's closing handshake out.\n"
	case forgotten:
		return "  A router, NAT or firewall on the way has forgotten the connection. Neither side\n  is told; a keepalive that comes too late finds out, but cannot repair it.\n"
	}
	return ""
}

// writeDoubts writes what speaks against the result.
func writeDoubts(out io.Writer, s *search) {
	if s.noise > 0 {
		fmt.Fprintf(out, "The peer sends something by itself, here after %s, so longer silences cannot\nbe seen. Perhaps it pings: turn that off on the server to see the path alone.\n", seconds(s.noise))
	}
	if s.unsteady {
		fmt.Fprintln(out, "The path is not steady: longer silences than that were survived too.")
	}
	if s.recommend() < keepalive.DefaultInterval && s.ended.Idle == 0 && s.noise == 0 {
		fmt.Fprintln(out, "No longer silence was tried; see --max.")
	}
}

// probeJSON writes for programs, an object a line. Times are in seconds.
type probeJSON struct {
	url string
	out *json.Encoder
}

func (j *probeJSON) begin() {}

func (j *probeJSON) trial(o outcome) {
	j.out.Encode(struct {
		Type   string  `json:"type"`
		Idle   float64 `json:"idle"`
		Fate   fate    `json:"fate"`
		Seen   bool    `json:"seen"` // the end came during the silence
		RTT    float64 `json:"rtt,omitempty"`
		Detail string  `json:"detail,omitempty"`
	}{"trial", o.Idle.Seconds(), o.Fate, o.Seen, o.RTT.Seconds(), o.Detail})
}

// A probeSummary is the last object. Timeout is absent when none was found.
type probeSummary struct {
	Type        string  `json:"type"` // "summary"
	URL         string  `json:"url"`
	Complete    bool    `json:"complete"`
	Timeout     float64 `json:"timeout,omitempty"`
	Survived    float64 `json:"survived"`
	Ended       float64 `json:"ended,omitempty"`
	Fate        fate    `json:"fate,omitempty"`
	Detail      string  `json:"detail,omitempty"`
	Noise       float64 `json:"noise,omitempty"`
	Unsteady    bool    `json:"unsteady,omitempty"`
	Recommended float64 `json:"recommended,omitempty"`
	Error       string  `json:"error,omitempty"`
}

func (j *probeJSON) end(s *search, err error) {
	summary := probeSummary{
		Type: "summary", URL: j.url, Complete: err == nil && s.complete(),
		Timeout: s.found().Seconds(), Survived: s.alive().Seconds(),
		Ended: s.ended.Idle.Seconds(), Fate: s.ended.Fate, Detail: s.ended.Detail,
		Noise: s.noise.Seconds(), Unsteady: s.unsteady, Recommended: s.recommend().Seconds(),
	}
	if err != nil {
		summary.Error = explainRefusal(err)
	}
	j.out.Encode(summary)
}

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestVerdict: what people read says what was found, how it ended, what speaks
// against it, and what to do.
func TestVerdict(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name     string
		outcomes []outcome
		want     []string
	}{
		{"nothing", nil, []string{"did not come to its end", "Nothing is known"}},
		{"survived", []outcome{{Idle: 60 * s, Fate: lived}}, []string{"No idle timeout up to 60.00 s.", "interval: 20s, or less"}},
		{"not for long", []outcome{{Idle: 10 * s, Fate: lived}}, []string{"did not come to its end", "up to 10.00 s.", "see --max", "interval: 5s"}},
		{"seen", []outcome{{Idle: 9600 * time.Millisecond, Fate: lived}, {Idle: 10 * s, Fate: fin, Seen: true}},
			[]string{"Idle timeout: 10.00 s\n", "Survived: 9.60 s\n", "(FIN) without a close frame\n", "Proxies", "interval: 5s"}},
		{"found out", []outcome{{Idle: 9600 * time.Millisecond, Fate: lived}, {Idle: 10 * s, Fate: forgotten}},
			[]string{"between 9.60 s and 10.00 s\n", "got no answer", "has forgotten", "interval: 5s"}},
		{"reset by the ping", []outcome{{Idle: 9600 * time.Millisecond, Fate: lived}, {Idle: 10 * s, Fate: reset}},
			[]string{"(RST), when a ping was sent\n"}},
		{"close frame with controls in it", []outcome{{Idle: 10 * s, Fate: closeFrame, Seen: true, Detail: "1008 \x1b[2J"}},
			[]string{`close frame: 1008 \x1b[2J`, "it is the WebSocket server"}},
		{"noise", []outcome{{Idle: 20 * s, Fate: noisy}}, []string{"by itself, here after 20.00 s", "interval: 10s"}},
		{"unsteady", []outcome{{Idle: 12 * s, Fate: lived}, {Idle: 10 * s, Fate: fin, Seen: true}}, []string{"not steady"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := &search{longest: 60 * s, precision: 0.05, parallel: 8}
			for _, o := range test.outcomes {
				found.note(o)
			}
			var out bytes.Buffer
			writeVerdict(&out, found)
			for _, part := range test.want {
				checkContains(t, "the verdict", out.String(), part)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("%q would be obeyed by a terminal", out.String())
			}
		})
	}
}

// TestProbeText: each connection has its line, between the heading and the
// verdict.
func TestProbeText(t *testing.T) {
	t.Parallel() // for silence takes its time
	status, out, errs := call(t, "probe", "--max", "1s", "--tcp-keepalive", "1m", serveTest(t, readQuietly))
	if status != statusOK || errs != "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	for _, part := range []string{"PROBE ws://127.0.0.1:", "8 at a time; TCP probes every 1m0s\n", " s: alive, pong after ", "\nNo idle timeout up to 1."} {
		checkContains(t, "standard output", out, part)
	}
}

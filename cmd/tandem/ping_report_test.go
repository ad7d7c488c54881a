package main

import (
	"bytes"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"
)

// On a terminal the picture is below the latest line, and is drawn anew with
// each; it never reaches the last column.
func TestPingTerminal(t *testing.T) {
	var out bytes.Buffer
	report := pingTerminal{
		pingText: pingText{url: "ws://a/", timeout: time.Second, out: &out},
		width:    func() int { return 3 },
	}
	report.begin(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80})
	report.pong(1, time.Millisecond)
	report.lost(2)
	report.pong(3, 2*time.Millisecond)
	report.end(&pingStats{sent: 3}, nil)
	want := "PING ws://a/ (127.0.0.1:80)\n" +
		"\r\x1b[Kpong from 127.0.0.1:80: seq=1 rtt=1.000 ms\n▁" +
		"\r\x1b[Kno pong for seq=2 within 1s\n▁x" +
		"\r\x1b[Kpong from 127.0.0.1:80: seq=3 rtt=2.000 ms\nx▁\n" +
		"\n--- ws://a/ ---\n3 pings sent, 0 pongs received, 100% loss\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// TestPingJSON: each line is an object, and nothing else is written.
func TestPingJSON(t *testing.T) {
	status, out, errs := call(t, "ping", "--json", "--count", "2", "--interval", "1ms", serveTest(t, echoAsync))
	if status != statusOK || errs != "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3: %q", len(lines), out)
	}
	for _, line := range lines[:2] {
		var ping pingLine
		if err := json.Unmarshal([]byte(line), &ping); err != nil || ping.Type != "pong" || ping.Seq == 0 || ping.RTT == nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	var summary pingSummary
	if err := json.Unmarshal([]byte(lines[2]), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Type != "summary" || summary.Sent != 2 || summary.Received != 2 || summary.Min == nil || summary.Error != "" {
		t.Errorf("summary %q", lines[2])
	}
}

// A program that reads the output learns of an error there too.
func TestPingJSONError(t *testing.T) {
	status, out, errs := call(t, "ping", "--json", "ftp://localhost")
	var summary pingSummary
	if err := json.Unmarshal([]byte(out), &summary); err != nil || summary.Error == "" || summary.Min != nil {
		t.Errorf("%v: %q", err, out)
	}
	if status != statusPingError || errs == "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
}

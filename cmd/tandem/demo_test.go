package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestDemo runs the demo as a user does.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("lasts about ten seconds of real time")
	}
	t.Parallel()
	status, out, errs := call(t, "demo")
	if status != statusOK || errs != "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	for _, part := range []string{"sync: the peer is gone", "async: the peer is gone", "error: keepalive ping timeout", "All as it should be."} {
		checkContains(t, "standard output", out, part)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestDemoWithoutFault: the demo tells when what it promises does not happen.
// Here the limit comes before the fault, so nobody notices anything.
func TestDemoWithoutFault(t *testing.T) {
	t.Parallel()
	plan := usualPlan
	plan.healthy, plan.limit, plan.row = time.Hour, 300*time.Millisecond, 50*time.Millisecond
	var out, errs bytes.Buffer
	if status := runDemo(t.Context(), &plan, stdio{nil, &out, &errs}); status != statusFailed {
		t.Errorf("status %d, want %d", status, statusFailed)
	}
	checkContains(t, "standard output", out.String(), "✗ sync: reported the silent link within 3.25 s of the last byte: not at all")
	checkContains(t, "standard output", out.String(), "stopped: the demo takes too long")
	checkContains(t, "standard output", out.String(), "Not everything happened")
}

// TestDemoInterrupted: a demo that the user ends is not a success, and blames
// nobody.
func TestDemoInterrupted(t *testing.T) {
	tandem := start(t, "demo")
	tandem.out.waitFor(t, "0.5 s  sync")
	tandem.interrupt()
	tandem.wait(t, statusFailed)
	checkContains(t, "standard output", tandem.out.String(), "stopped: ")
	if strings.Contains(tandem.out.String(), "✗") {
		t.Error("the output blames somebody")
	}
}

func TestReported(t *testing.T) {
	const allowed = 3 * time.Second
	var (
		fault = time.Now()
		gone  = error(&protocol.CloseError{Err: &keepalive.TimeoutError{Cause: keepalive.PeerStuck}})
	)
	// The last byte comes half a second before the fault.
	ended := func(afterFault time.Duration, err error) *ending {
		return &ending{at: fault.Add(afterFault), lastByte: fault.Add(-500 * time.Millisecond), err: err}
	}
	for _, test := range []struct {
		name  string
		end   *ending
		fault time.Time
		ok    bool
		seen  string
	}{
		{"in time", ended(2*time.Second, gone), fault, true, "2.50 s, peer stuck"},
		{"at the last moment", ended(2500*time.Millisecond, gone), fault, true, "3.00 s, peer stuck"},
		{"late", ended(2501*time.Millisecond, gone), fault, false, "3.00 s, peer stuck"},
		{"never", nil, fault, false, "not at all"},
		{"too early", ended(-time.Millisecond, gone), fault, false, "before the fault"},
		{"no fault yet", ended(time.Second, gone), time.Time{}, false, "before the fault"},
		{"for another reason", ended(time.Second, io.EOF), fault, false, "another error: EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := mortal{face: "sync", end: test.end}
			if f := m.reported(test.fault, allowed); f.ok != test.ok || f.seen != test.seen {
				t.Errorf("got %v, %q; want %v, %q", f.ok, f.seen, test.ok, test.seen)
			}
		})
	}
}

func TestStayed(t *testing.T) {
	const sum = 7
	for _, test := range []struct {
		name string
		end  *arrival
		ok   bool
	}{
		{"whole", &arrival{sum: sum}, true},
		{"damaged", &arrival{sum: sum + 1}, false},
		{"dropped", &arrival{sum, errors.New("dropped")}, false},
		{"never", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := slowpoke{end: test.end}
			if f := s.stayed(sum); f.ok != test.ok {
				t.Errorf("got %v (%s), want %v", f.ok, f.seen, test.ok)
			}
		})
	}
}

// TestWriteFindings: one thing that went wrong is enough.
func TestWriteFindings(t *testing.T) {
	good, bad := finding{true, "this", "1 s"}, finding{false, "that", "evil \x1b[2J"}
	for _, test := range []struct {
		list []finding
		ok   bool
	}{
		{[]finding{good, good}, true},
		{[]finding{good, bad, good}, false},
	} {
		var out strings.Builder
		d := demo{out: &out}
		if ok := d.writeFindings(test.list); ok != test.ok {
			t.Errorf("got %v, want %v", ok, test.ok)
		}
		if got := strings.Count(out.String(), "✗"); (got == 0) != test.ok {
			t.Errorf("%d crosses", got)
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Error("what was seen is not escaped")
		}
	}
}

package keepalive

import (
	"testing"
	"time"
)

// The vectors are worked out by hand from RFC 6298, section 2: first
// SRTT = R, RTTVAR = R/2, then RTTVAR = 3/4 RTTVAR + 1/4 |SRTT-R| and
// SRTT = 7/8 SRTT + 1/8 R.
func TestAddRTT(t *testing.T) {
	var s Stats
	for i, step := range []struct{ rtt, srtt, rttvar, least time.Duration }{
		{100 * ms, 100 * ms, 50 * ms, 100 * ms},
		{100 * ms, 100 * ms, 37500 * time.Microsecond, 100 * ms},
		{180 * ms, 110 * ms, 48125 * time.Microsecond, 100 * ms},
		{30 * ms, 100 * ms, 56093750, 30 * ms},
		{500 * ms, 150 * ms, 142070312, 30 * ms}, // ...312.5 and integers
		{0, 131250 * time.Microsecond, 144052734, 0},
	} {
		s.AddRTT(step.rtt)
		if s.LastRTT != step.rtt || s.SmoothedRTT != step.srtt || s.MinRTT != step.least {
			t.Errorf("step %d: %+v, want %+v", i, s, step)
		}
		if diff := (s.RTTVar - step.rttvar).Abs(); diff > 1 {
			t.Errorf("step %d: RTTVar %v, want %v", i, s.RTTVar, step.rttvar)
		}
		if s.PongsReceived != uint64(i+1) {
			t.Errorf("step %d: %d pongs", i, s.PongsReceived)
		}
	}
}

// A steady round trip becomes the average, and the variation dies away.
func TestAddRTTConverges(t *testing.T) {
	var s Stats
	s.AddRTT(sec)
	for range 200 {
		s.AddRTT(50 * ms)
	}
	if d := (s.SmoothedRTT - 50*ms).Abs(); d > 10 {
		t.Errorf("SmoothedRTT is %v off", d)
	}
	if s.RTTVar > 100 {
		t.Errorf("RTTVar is %v", s.RTTVar)
	}
	if s.MinRTT != 50*ms || s.LastRTT != 50*ms || s.PongsReceived != 201 {
		t.Errorf("%+v", s)
	}
}

// Time that seems to have gone backwards does not spoil the average, and the
// longest one does not overflow it.
func TestAddRTTExtremes(t *testing.T) {
	var s Stats
	s.AddRTT(-sec)
	if s.LastRTT != 0 || s.SmoothedRTT != 0 || s.RTTVar != 0 || s.PongsReceived != 1 {
		t.Errorf("after a negative one: %+v", s)
	}
	for range 1000 {
		s.AddRTT(1<<63 - 1)
		if s.SmoothedRTT < 0 || s.RTTVar < 0 {
			t.Fatalf("overflow: %+v", s)
		}
	}
	s.AddRTT(-1 << 63)
	if s.LastRTT != 0 || s.MinRTT != 0 || s.SmoothedRTT < 0 || s.RTTVar < 0 {
		t.Errorf("%+v", s)
	}
}

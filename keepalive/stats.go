package keepalive

import "time"

// Stats is what is known of a connection's keepalive. It is a plain value; the
// zero value is that of a connection on which nothing was pinged yet.
type Stats struct {
	LastRTT     time.Duration // of the latest ping that was answered
	SmoothedRTT time.Duration // RFC 6298, section 2
	MinRTT      time.Duration
	RTTVar      time.Duration // the mean deviation of RFC 6298, section 2

	PingsSent     uint64
	PongsReceived uint64 // that answered one of our pings

	LastByte time.Time // when the last byte of any kind arrived
}

// AddRTT counts a pong that answered a ping of ours, and how long it took. A
// negative time is taken as 0.
func (s *Stats) AddRTT(rtt time.Duration) {
	rtt = max(rtt, 0)
	if s.PongsReceived == 0 {
		s.first(rtt)
	} else {
		s.smooth(rtt)
	}
	s.LastRTT = rtt
	s.PongsReceived++
}

// first takes the first measurement (RFC 6298, section 2.2).
func (s *Stats) first(rtt time.Duration) {
	s.SmoothedRTT, s.RTTVar, s.MinRTT = rtt, rtt/2, rtt
}

// smooth takes a further one (RFC 6298, section 2.3, with its alpha = 1/8 and
// beta = 1/4). The variation uses the old average, so it comes first.
func (s *Stats) smooth(rtt time.Duration) {
	s.RTTVar += ((s.SmoothedRTT - rtt).Abs() - s.RTTVar) / 4
	s.SmoothedRTT += (rtt - s.SmoothedRTT) / 8
	s.MinRTT = min(s.MinRTT, rtt)
}

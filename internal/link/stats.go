package link

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// stats are a keepalive.Stats in less memory, for each connection has them: what
// is a time there is counted from Conn.start. Guarded by Conn.mu.
type stats struct {
	lastRTT, smoothedRTT, minRTT, rttVar time.Duration

	pingsSent, pongsReceived uint32

	lastByte time.Duration
}

func (s *stats) rtts() keepalive.Stats {
	return keepalive.Stats{
		LastRTT: s.lastRTT, SmoothedRTT: s.smoothedRTT, MinRTT: s.minRTT, RTTVar: s.rttVar,
		PingsSent: uint64(s.pingsSent), PongsReceived: uint64(s.pongsReceived),
	}
}

func (s *stats) addRTT(rtt time.Duration) {
	all := s.rtts()
	all.AddRTT(rtt)
	s.lastRTT, s.smoothedRTT, s.minRTT, s.rttVar = all.LastRTT, all.SmoothedRTT, all.MinRTT, all.RTTVar
	s.pongsReceived++
}

// lastByte returns when the last byte arrived. Where it counts the monotonic
// clock alone is asked: the wall clock of this is that of the start, with the time
// since.
func (c *Conn) lastByte() time.Time { return c.start().Add(c.stats.lastByte) }

// pausedBefore returns for how long reading stood still in all, but for a pause
// that goes on.
func (c *Conn) pausedBefore() (stood time.Duration) {
	if c.rare != nil {
		stood = c.rare.paused
	}
	return stood
}

// KeepaliveStats returns what is known of the connection's keepalive.
func (c *Conn) KeepaliveStats() keepalive.Stats {
	c.lock()
	defer c.unlock()
	all := c.stats.rtts()
	all.LastByte = time.Now().Add(c.stats.lastByte - time.Since(c.start())) // by the wall clock of now
	return all
}

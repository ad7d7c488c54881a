package link

import (
	"crypto/rand"
	"fmt"
	"log/slog"
)

// ID returns a random UUID that tells the connection from all others. It is
// made when it is first asked for.
func (c *Conn) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := &c.rarely().id
	if *id == [16]byte{} {
		rand.Read(id[:])
		id[6] = id[6]&0x0f | 0x40 // version 4 (RFC 9562, section 5.4)
		id[8] = id[8]&0x3f | 0x80
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Logger returns the connection's logger, which tells its ID and the peer's
// address.
func (c *Conn) Logger() *slog.Logger {
	return c.opts.Logger.With("connection", c.ID(), "remote", c.RemoteAddr())
}

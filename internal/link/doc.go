// Package link is the one place where a socket, the clock and a
// [protocol.Conn] meet. Packages async and sync are two faces of its [Conn].
//
// # Who reads (read.go, attendant.go)
//
// Whoever needs a frame reads it. A reader token passes between callers: a
// receiver reads on its own goroutine, and so does who waits for a pong or
// for the end. When the application has not been receiving for a grace
// period, a short-lived attendant takes the token, answers pings, counts
// pongs, sees a close, and queues messages within bounds (queue.go).
//
// # Who writes (write.go)
//
// There is one door for writing and the reader never waits at it. The message
// token is held for a whole data message, the write token for one socket
// write. What the reader owes leaves with whoever writes next, or with a
// goroutine that lives for that one write.
//
// # Locks
//
// Conn.mu guards all state, the protocol's too, and is never held across a
// socket call. Tokens are fields under it, so that waiting for them can be
// cancelled. There is no other lock and hence no lock order.
package link

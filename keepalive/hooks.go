package keepalive

import "time"

// A Conn is what a hook is told of the connection: a *ClientConn or
// *ServerConn of the face that it is of.
type Conn interface {
	ID() string
	KeepaliveStats() Stats
	SetKeepalive(Config)
}

// Hooks are functions that are told what happens, like those of
// net/http/httptrace. Any may be nil. They belong to the options of a client
// or a server, and must not change once those are used.
//
// Hooks cannot do harm to a connection. Each connection calls its own in the
// order of what happened, one at a time, from a goroutine that holds no lock:
// a hook may call every method of the connection, wait, and close it, and
// nothing but the connection's next hook waits for it. While it does,
// [MaxHookEvents] are kept; then the oldest is dropped. One that panics is
// logged. So a hook is called a little after the fact, TimedOut maybe after
// the connection's end.
type Hooks struct {
	// PingSent: a ping of keepalive's was handed to the transport, late after
	// it was due. Pings that the application sends are not told of.
	PingSent func(conn Conn, late time.Duration)

	// PongReceived: a pong answered a ping, keepalive's or the application's,
	// after rtt.
	PongReceived func(conn Conn, rtt time.Duration)

	// Paused: reading stopped, for the queue of received messages is full.
	Paused func(conn Conn)

	// Resumed: reading goes on, after it has stood still for so long.
	Resumed func(conn Conn, stood time.Duration)

	// TimedOut: the peer was given up, by keepalive or by the operating system.
	TimedOut func(conn Conn, err *TimeoutError)
}

// MaxHookEvents is how many events wait for a connection's hook that does not
// return.
const MaxHookEvents = 64

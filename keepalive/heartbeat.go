package keepalive

// A Heartbeat is a ping that consists of messages, for peers that demand one of
// their own: many exchanges' interfaces want a text "ping" and answer "pong".
// The schedule is that of pings. Its functions are called without a lock, one
// call of each at a time; one that panics is logged.
type Heartbeat struct {
	// Message returns the message that is sent. While the one before could not
	// leave yet it is not asked for another.
	Message func() []byte

	// Binary has a binary message sent, and not a text.
	Binary bool

	// Answer reports whether a message is the answer. One that is gets not
	// handed to the application, whenever it comes; it counts as a pong, for
	// Strict and for the latency. Data must not be kept or changed. It must
	// not wait for the connection to receive anything: it is the receiver that
	// asks. nil means that there are no answers: then every byte is proof of
	// life, and what comes is all the application's.
	//
	// A message that is received in pieces is not looked at.
	Answer func(data []byte) bool
}

package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// An outcome is what became of a silence on one connection.
type outcome struct {
	Idle   time.Duration // how long it was silent
	Fate   fate
	Seen   bool          // the end came during the silence, so Idle says when
	RTT    time.Duration // of the ping behind the silence, if there was a pong
	Detail string        // what the close frame or the error says; not escaped
}

// A fate is how a silence ended.
type fate string

const (
	lived      fate = "alive"       // a ping behind the silence was answered
	closeFrame fate = "close frame" // the peer's WebSocket closed
	fin        fate = "FIN"         // TCP ended in order, without a close frame
	reset      fate = "reset"       // TCP was cut
	forgotten  fate = "silence"     // nothing was closed, and nothing gets through
	noisy      fate = "noise"       // the peer spoke by itself
	noOutcome  fate = "unknown"     // we ended it, or it never came to be silent
)

// describe says what happened, in the words of a user and not of TCP alone. The
// client's end is ours and ends nothing, so it was always the other side, or
// what stands on the way.
func (o *outcome) describe() string {
	switch o.Fate {
	case lived:
		return fmt.Sprintf("alive, pong after %s", milliseconds(o.RTT))
	case closeFrame:
		return "the peer closed it with a close frame: " + escape(o.Detail)
	case fin:
		return "the other side ended TCP (FIN) without a close frame" + o.when()
	case reset:
		return "the other side reset TCP (RST)" + o.when()
	case forgotten:
		return "a ping got no answer, though nobody had closed anything"
	case noisy:
		return "the peer sent something by itself"
	}
	return "not known: " + escape(o.Detail)
}

// when tells an end that nobody saw before we wrote.
func (o *outcome) when() string {
	if o.Seen {
		return ""
	}
	return ", when a ping was sent"
}

// fateOf tells how a connection ended.
func fateOf(err error) (f fate, detail string) {
	var closed *protocol.CloseError
	switch {
	case errors.As(err, &closed) && closed.Rcvd != nil:
		return closeFrame, closed.Rcvd.String()
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset, err.Error()
	case isUnreachable(err):
		return forgotten, err.Error()
	}
	return fin, err.Error()
}

// isUnreachable reports whether the network said that it does not know the way,
// or TCP found out by itself: nobody at the other end has closed anything.
func isUnreachable(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

package main

import (
	"errors"

	"github.com/tandemws/tandem/protocol"
)

// describeEnd tells how a connection ended, to be read behind its name: with the peer's close code and
// reason if it sent them, else with what is known of the loss. Both hold what
// others chose, so they are escaped.
func describeEnd(err error) string {
	var closed *protocol.CloseError
	if errors.As(err, &closed) && closed.Rcvd != nil {
		return "closed: " + escape(withFullStop(closed.Rcvd.String()))
	}
	return "lost: " + escape(err.Error())
}

// withFullStop ends a sentence whose end somebody else may have written.
func withFullStop(s string) string {
	if s[len(s)-1] == '.' {
		return s
	}
	return s + "."
}

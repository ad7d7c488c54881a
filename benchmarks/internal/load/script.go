package load

import "bytes"

// A Script is what a connection says: the batches of First once and then those
// of Cycle for ever, each when the answer to the one before has come.
type Script struct {
	First, Cycle [][]byte
	Messages     int // in a batch
	Answer       int // what comes back for a batch: messages, or bytes without framing
	Framed       bool
	Upgraded     bool // the opening handshake was done already
}

// Echo returns the script of messages of some size that come back, depth of
// them at a time.
func Echo(size, depth int, framed bool) *Script {
	payload := bytes.Repeat([]byte("x"), size)
	if !framed {
		return &Script{Cycle: [][]byte{bytes.Repeat(payload, depth)}, Messages: depth, Answer: size * depth}
	}
	return &Script{Cycle: [][]byte{bytes.Repeat(Frame(payload, true), depth)}, Messages: depth, Answer: depth, Framed: true}
}

// Answers returns the script of a server that sends back messages of some size.
func Answers(size int, framed bool) *Script {
	s := Echo(size, 1, framed)
	if framed {
		s.Cycle[0] = Frame(bytes.Repeat([]byte("x"), size), false)
	}
	return s
}

// Listens returns the script of a connection that says nothing and gets one
// message whenever another connection speaks.
func Listens(size int, framed bool) *Script {
	s := Echo(size, 1, framed)
	s.Cycle[0] = nil
	return s
}

// batch returns what is said in a turn.
func (s *Script) batch(turn int) []byte {
	if turn < len(s.First) {
		return s.First[turn]
	}
	return s.Cycle[(turn-len(s.First))%len(s.Cycle)]
}

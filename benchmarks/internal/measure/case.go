package measure

import "strings"

// A Kind is what is measured.
type Kind string

const (
	Echo Kind = "echo" // a server that sends back what it receives
	Idle Kind = "idle" // memory of connections on which nothing happens
)

// A Case is one thing to be measured on several servers.
type Case struct {
	Name    string
	Kind    Kind
	Servers []string // the first is the yardstick
	Conns   int
	Size    int // bytes of a message's payload
	Depth   int // messages under way on a connection
}

// Names returns the servers of a list with commas, in which "peers" and "all"
// stand for several.
func Names(list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "peers":
			names = append(names, Peers...)
		case "all":
			names = append(names, All...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// Peers are the other libraries for Go.
var Peers = []string{"gorilla", "coder", "gobwas", "gws"}

// All are the yardstick, both faces in both ways and the peers.
var All = append([]string{"raw", "sync", "sync-recv", "async", "async-recv"}, Peers...)

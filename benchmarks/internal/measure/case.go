package measure

import (
	"fmt"
	"strings"
	"time"
)

// A Kind is what is measured.
type Kind string

const (
	Echo      Kind = "echo"      // a server that sends back what it receives
	Deflate   Kind = "deflate"   // the same with compressed messages
	Idle      Kind = "idle"      // memory of connections on which nothing happens
	Client    Kind = "client"    // a client that sends messages and receives them back
	Broadcast Kind = "broadcast" // a server that sends one message to all connections
	Handshake Kind = "handshake" // a server that accepts one connection after the other
	Mask      Kind = "mask"      // masking a payload
)

// A Case is one thing to be measured on several servers.
type Case struct {
	Name      string
	Kind      Kind
	Servers   []string // the first is the yardstick
	Conns     int      `json:",omitempty"`
	Size      int      `json:",omitempty"` // bytes of a message's payload
	Depth     int      `json:",omitempty"` // messages under way on a connection
	Deflate   bool     `json:",omitempty"` // of idle connections: compression is negotiated
	Takeover  bool     `json:",omitempty"` // with context takeover
	TLS       bool     `json:",omitempty"` // of idle connections
	Processes int      `json:",omitempty"` // among which idle connections are divided
}

// turns returns in how many turns a server's time in a round is divided. Each is as
// long as about fifty exchanges on all connections or more, for the first of them
// begins everywhere at once, and finds nothing in the processor's caches.
func (c *Case) turns(duration time.Duration) int {
	message := 10*time.Microsecond + time.Duration(c.Size)*time.Nanosecond
	exchange := time.Duration(c.Conns*max(1, c.Depth)) * message
	return int(max(1, min(16, duration/max(1, 50*exchange))))
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

// All are the yardstick, both faces in their three ways and the peers.
var All = append([]string{"raw", "sync", "sync-recv", "sync-release", "async", "async-recv", "async-release"}, Peers...)

// Cases are all that is measured. Python is measured in some of them if it is
// installed.
func Cases(python bool) (cases []Case) {
	cases = append(cases, echoCases(python)...)
	cases = append(cases, idleCases(python)...)
	cases = append(cases, otherCases()...)
	for i := range cases {
		cases[i].Name = cases[i].name()
	}
	return cases
}

func echoCases(python bool) (cases []Case) {
	for _, depth := range []int{1, 16} {
		for _, conns := range []int{64, 1000} {
			for _, size := range []int{32, 1 << 10, 16 << 10} {
				c := Case{Kind: Echo, Conns: conns, Size: size, Depth: depth, Servers: All}
				if python && conns == 64 {
					c.Servers = append(All[:len(All):len(All)], "python")
				}
				cases = append(cases, c)
			}
		}
	}
	for _, conns := range []int{1, 64} {
		cases = append(cases, Case{Kind: Echo, Conns: conns, Size: 1 << 20, Depth: 1, Servers: All})
	}
	for _, conns := range []int{100, 10_000} {
		cases = append(cases, Case{Kind: Echo, Conns: conns, Size: 32, Depth: 1, Servers: []string{"raw", "sync", "async"}})
	}
	return cases
}

// smallest is the size in bytes of messages that everybody compresses, and of which
// next to nothing is left in the memory of who has received one.
const smallest = 64

func idleCases(python bool) (cases []Case) {
	all := Names("raw,sync,async,gorilla,coder,gobwas,gobwas-plain,gws")
	plain := Case{Kind: Idle, Conns: 10_000, Servers: all}
	if python {
		plain.Servers = append(all[:len(all):len(all)], "python")
	}
	cases = append(cases, plain,
		Case{Kind: Idle, Conns: 60_000, Processes: 4, Servers: Names("raw,sync,async")},
		Case{Kind: Idle, Conns: 2_000, TLS: true, Servers: all})
	withoutTakeover := Names("sync,async,coder,gws,gorilla")
	return append(cases,
		Case{Kind: Idle, Conns: 2_000, Deflate: true, Size: smallest, Servers: withoutTakeover},
		Case{Kind: Idle, Conns: 2_000, Deflate: true, Servers: withoutTakeover},
		Case{Kind: Idle, Conns: 2_000, Deflate: true, Takeover: true, Servers: Names("sync,async,coder,gws")})
}

func otherCases() (cases []Case) {
	for _, takeover := range []bool{false, true} {
		for _, size := range []int{1 << 10, 16 << 10} {
			c := Case{Kind: Deflate, Conns: 16, Size: size, Depth: 1, Takeover: takeover, Servers: Names("sync,async,coder,gws")}
			if !takeover {
				c.Servers = append(c.Servers, "gorilla")
			}
			cases = append(cases, c)
		}
	}
	for _, size := range []int{1 << 10, 64 << 10} {
		cases = append(cases, Case{Kind: Client, Conns: 64, Size: size, Servers: All})
	}
	for _, size := range []int{32, 1 << 10} {
		cases = append(cases, Case{Kind: Broadcast, Conns: 1000, Size: size, Servers: Names("raw,sync,async,peers")})
	}
	cases = append(cases, Case{Kind: Handshake, Servers: Names("gorilla,sync,async,coder,gobwas,gws")})
	for _, size := range []int{32, 1 << 10, 64 << 10} {
		cases = append(cases, Case{Kind: Mask, Size: size, Servers: Names("tandem,peers")})
	}
	return cases
}

// name is what a case is called in the data and chosen by.
func (c *Case) name() string {
	parts := []string{string(c.Kind)}
	for _, part := range []struct {
		there bool
		text  string
	}{
		{c.Conns > 0, fmt.Sprintf("conns%d", c.Conns)},
		{c.Size > 0, fmt.Sprintf("size%d", c.Size)},
		{c.Depth > 0, fmt.Sprintf("depth%d", c.Depth)},
		{c.Deflate, "deflate"},
		{c.Takeover, "takeover"},
		{c.TLS, "tls"},
	} {
		if part.there {
			parts = append(parts, part.text)
		}
	}
	return strings.Join(parts, "-")
}

// Title says what was measured.
func (c *Case) Title() string {
	switch c.Kind {
	case Echo:
		return fmt.Sprintf("echo, %d connections, %s, depth %d", c.Conns, size(c.Size), c.Depth)
	case Deflate:
		return fmt.Sprintf("echo of compressed messages, %d connections, %s, %s", c.Conns, size(c.Size), takeover(c.Takeover))
	case Idle:
		return c.idleTitle()
	case Client:
		return fmt.Sprintf("client, %d connections, %s", c.Conns, size(c.Size))
	case Broadcast:
		return fmt.Sprintf("broadcast of %s to %d connections", size(c.Size), c.Conns)
	case Handshake:
		return "opening handshakes"
	default:
		return fmt.Sprintf("masking of %s", size(c.Size))
	}
}

func (c *Case) idleTitle() string {
	title := fmt.Sprintf("%d idle connections", c.Conns)
	if c.TLS {
		title += " with TLS"
	}
	if c.Deflate {
		title += " with compression, " + takeover(c.Takeover)
		if c.Size > 0 {
			title += ", after messages of " + size(c.Size)
		}
	}
	if c.Processes > 1 {
		title += fmt.Sprintf(" in %d processes", c.Processes)
	}
	return title
}

func takeover(on bool) string {
	if on {
		return "with takeover"
	}
	return "without takeover"
}

func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d B", n)
	}
}

//go:build linux

package measure

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// holderFlag is the first argument of a process that holds connections.
const holderFlag = "-be-holder"

// compressedSize is how many bytes the messages of compression have, unless a case
// says otherwise.
const compressedSize = 1 << 10

// settle is how long connections are left alone before they count as idle: a
// server may keep what it expects to need again at once.
const settle = time.Second

// idle measures the memory of connections, after a few messages on each. Those
// of a server are held by a process of their own, for the bound on open files is
// one of a process.
func idle(c Case, name string) (Round, error) {
	used, processes := 0.0, max(c.Processes, 1)
	for range processes {
		server, err := startServer(name, peers.Setup{Deflate: c.Deflate, Takeover: c.Takeover, TLS: c.TLS})
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		before, err := server.Memory()
		if err != nil {
			return nil, err
		}
		holder, err := startHolder(server, c, c.Conns/processes)
		if err != nil {
			return nil, err
		}
		defer holder.Stop()
		time.Sleep(settle)
		after, err := server.Memory()
		if err != nil {
			return nil, err
		}
		used += float64(after - before)
	}
	return Round{Memory: used / float64(c.Conns)}, nil
}

// startHolder returns when all connections are there and idle.
func startHolder(server *server, c Case, conns int) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	how := "plain"
	switch {
	case !server.framed:
		how = "raw"
	case c.Takeover:
		how = "takeover"
	case c.Deflate:
		how = "deflate"
	}
	if c.TLS {
		how += "-tls"
	}
	size := cmp.Or(c.Size, compressedSize)
	p, err := process.Start(self, holderFlag, server.addr, fmt.Sprint(conns), how, fmt.Sprint(size))
	if err != nil {
		return nil, err
	}
	if _, err := p.Line(); err != nil {
		p.Stop()
		return nil, fmt.Errorf("the process that holds the connections: %w", err)
	}
	return p, nil
}

func beHolder(addr, conns, how, compressed string) error {
	n, err := strconv.Atoi(conns)
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(compressed)
	if err != nil {
		return err
	}
	switch how {
	case "raw", "plain":
		script := load.Echo(32, 1, how == "plain")
		err = hold(addr, n, 1, func(int, net.Conn) (*load.Script, error) { return script, nil })
	case "deflate", "takeover":
		err = hold(addr, n, 10, deflating(size, how == "takeover"))
	default:
		err = holdTLS(addr, n, how == "plain-tls")
	}
	if err == nil {
		process.Main("idle", func(string) string { return "" })
	}
	return err
}

// hold opens connections, exchanges a few messages on each, and answers pings.
func hold(addr string, conns, messages int, begin begin) error {
	group, err := load.DialEach(addr, conns, begin)
	for range messages {
		if err == nil {
			_, err = group.Run(0)
		}
	}
	if err == nil {
		go group.Attend() // until this process ends, or the server
	}
	return err
}

// kept are connections that must not be collected.
var kept []net.Conn

// holdTLS opens connections with TLS, exchanges one message on each, and answers
// pings.
func holdTLS(addr string, conns int, framed bool) error {
	message, answer := []byte("a message of no more than 32 by."), 32
	if framed {
		message, answer = load.Frame(message, true), len(load.Frame(message, false))
	}
	buf := make([]byte, answer)
	for range conns {
		nc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		kept = append(kept, nc)
		if framed {
			if _, err := load.Upgrade(nc, ""); err != nil {
				return err
			}
		}
		if _, err := nc.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(nc, buf); err != nil {
			return err
		}
		if framed {
			go load.Attend(nc)
		}
	}
	return nil
}

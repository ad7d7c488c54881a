//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

func main() {
	measure.BeServer()
	servers := flag.String("servers", "all", "the servers to measure, the first being the yardstick")
	var c measure.Case
	flag.IntVar(&c.Conns, "conns", 64, "connections")
	flag.IntVar(&c.Size, "size", 0, "bytes of payload of a message; by default 32, of idle connections with compression 1024")
	flag.IntVar(&c.Depth, "depth", 1, "messages under way on a connection")
	duration := flag.Duration("duration", time.Second, "of one round of one server")
	rounds := flag.Int("rounds", 5, "rounds")
	idle := flag.Int("idle", 0, "measure the memory of so many idle connections instead")
	flag.BoolVar(&c.Deflate, "deflate", false, "of idle connections: negotiate compression, without takeover")
	flag.BoolVar(&c.Takeover, "takeover", false, "with -deflate: with takeover")
	flag.Parse()

	c.Kind, c.Servers = measure.Echo, measure.Names(*servers)
	if *idle > 0 {
		c.Kind, c.Conns, *rounds = measure.Idle, *idle, 1
	} else if c.Size == 0 {
		c.Size = 32
	}
	outcome, err := measure.Run(c, *rounds, *duration)
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
	outcome.Print(os.Stdout)
}

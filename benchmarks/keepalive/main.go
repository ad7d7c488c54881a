package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// interval is the time between two pings of a connection. A peer that has not
// answered for patience is given up.
const (
	interval = time.Second
	patience = 3 * time.Second
)

// A plan is what the command line asks for.
type plan struct {
	servers  []string
	conns    int
	every    time.Duration // between two messages of a client; 0: none
	duration time.Duration
	late     bool
}

func main() {
	serve := flag.String("serve", "", "be the named server (used by the program itself)")
	names := flag.String("servers", strings.Join(order, ","), "the servers to measure")
	rounds := flag.Int("rounds", 3, "rounds")
	keep := flag.String("keep", "", "add the rounds to those in `FILE`")
	var p plan
	flag.IntVar(&p.conns, "conns", 10000, "connections")
	flag.DurationVar(&p.every, "every", 0, "the time between two messages of each client; 0: they say nothing")
	flag.DurationVar(&p.duration, "duration", 5*time.Second, "of one round of one server")
	flag.BoolVar(&p.late, "late", false, "measure how late pings are, in place of CPU and memory")
	flag.Parse()
	if *serve != "" {
		runServer(*serve, p.late)
		return
	}
	p.servers = strings.Split(*names, ",")
	all := readRounds(*keep)
	for range *rounds {
		for _, name := range p.servers {
			r := p.round(name)
			all = append(all, r)
			keepRound(*keep, r)
		}
	}
	p.print(all)
}

// A round is what was measured of one server.
type round struct {
	Server string
	CPU    float64       // nanoseconds for each time that a ping was due
	Memory float64       // bytes a connection
	Late   [3]float64    // of the pings, in seconds: median, p99.9, greatest
	Pings  int64         // that the clients have seen, or pongs in their place
	Took   time.Duration // the time in which they did
}

// round measures one server. What counts as a ping is that it was due: a server
// that leaves pings out must not look expensive for that.
func (p *plan) round(name string) (r round) {
	server := startServer(name, p.late)
	defer server.Stop()
	empty := must(server.Memory())
	l := newLoad(server.addr, p)
	defer l.close()
	l.settle()
	begin, before, pings := time.Now(), must(server.CPU()), l.pings()
	server.forget()
	time.Sleep(p.duration)
	after := must(server.CPU())
	r = round{Server: name, Pings: l.pings() - pings, Took: time.Since(begin)}
	due := float64(p.conns) * r.Took.Seconds() / interval.Seconds()
	r.CPU = float64(after-before) / due
	if p.late {
		r.Late = server.lateness()
	}
	r.Memory = float64(must(server.Memory())-empty) / float64(p.conns)
	return r
}

// must ends the program: a benchmark that goes wrong has no result.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "keepalive:", err)
		os.Exit(1)
	}
}

package main

import (
	"fmt"
	"os"

	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// A server is one in a process of its own.
type server struct {
	*process.Process
	addr string
}

func startServer(name string, late bool) server {
	p := must(process.Start(must(os.Executable()), "-serve", name, fmt.Sprintf("-late=%v", late)))
	return server{p, must(p.Line())}
}

// forget has the server begin anew to measure lateness.
func (s server) forget() { must(s.Ask("forget")) }

// lateness returns the median, p99.9 and the greatest, in seconds.
func (s server) lateness() (late [3]float64) {
	must(fmt.Sscan(must(s.Ask("late")), &late[0], &late[1], &late[2]))
	return late
}

// runServer is the other side of a server's process.
func runServer(name string, late bool) {
	start, ok := servers[name]
	if !ok {
		check(fmt.Errorf("no server is called %q", name))
	}
	var c clock
	if late {
		c.late = new(lateness)
	}
	process.Main(start(c), func(question string) string {
		if question == "late" {
			of := func(q float64) float64 { return c.late.quantile(q).Seconds() }
			return fmt.Sprint(of(0.5), " ", of(0.999), " ", of(1))
		}
		c.late.forget()
		return "forgotten"
	})
}

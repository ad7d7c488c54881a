package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	serve := flag.String("serve", "", "be the named server (used by the program itself)")
	servers := flag.String("servers", "raw,sync,async", "the servers to measure, the first being the yardstick")
	var load loadParams
	flag.IntVar(&load.conns, "conns", 64, "connections")
	flag.IntVar(&load.size, "size", 32, "bytes of payload of a message")
	flag.IntVar(&load.depth, "depth", 1, "messages under way on a connection")
	flag.DurationVar(&load.duration, "duration", 2*time.Second, "of one round of one server")
	rounds := flag.Int("rounds", 5, "rounds")
	idle := flag.Int("idle", 0, "measure the memory of so many idle connections instead")
	flag.Parse()

	if *serve != "" {
		runServer(*serve)
		return
	}
	names := strings.Split(*servers, ",")
	if *idle > 0 {
		measureIdle(names, *idle)
		return
	}
	measureEcho(names, load, *rounds)
}

// measureEcho prints the median CPU time per message of each server.
func measureEcho(names []string, load loadParams, rounds int) {
	costs := make(map[string][]float64)
	for range rounds {
		for _, name := range names {
			costs[name] = append(costs[name], echoRound(name, load))
		}
	}
	fmt.Printf("%d connections, %d bytes, depth %d: server CPU per message\n", load.conns, load.size, load.depth)
	yardstick := median(costs[names[0]])
	for _, name := range names {
		c := costs[name]
		fmt.Printf("%-14s %8.0f ns  ratio %5.2f  (%.0f to %.0f)\n", name, median(c), median(c)/yardstick, slices.Min(c), slices.Max(c))
	}
}

// echoRound returns the server's CPU time in nanoseconds per message.
func echoRound(name string, load loadParams) float64 {
	server := startServer(name)
	defer server.stop()
	load.addr, load.framed = server.addr, name != "raw"
	warm := load
	warm.duration = load.duration / 4
	run := newLoad(load)
	defer run.close()
	run.run(warm.duration)
	before := server.usage()
	messages := run.run(load.duration)
	return float64(server.usage().cpu-before.cpu) / float64(messages)
}

// measureIdle prints the memory of idle connections, after a message each.
func measureIdle(names []string, conns int) {
	for _, name := range names {
		server := startServer(name)
		before := server.usage()
		load := newLoad(loadParams{addr: server.addr, framed: name != "raw", conns: conns, size: 32, depth: 1})
		load.echoOnce()
		after := server.usage()
		fmt.Printf("%-14s %7.0f bytes a connection\n", name, float64(after.rss-before.rss)/float64(conns))
		load.close()
		server.stop()
	}
}

func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// must ends the program: a benchmark that goes wrong has no result.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

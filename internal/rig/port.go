package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"testing"
)

// FreePort returns a TCP port of the loopback address on which nobody listens.
// It is for programs that cannot choose one and say which. Until the test ends
// no other caller gets it, in whatever process; and as it is not one of those
// that the system hands out, nobody gets it by chance.
func FreePort(t testing.TB) int {
	t.Helper()
	pairs := (ephemeral() - firstPort) / 2
	for range pairs {
		port := firstPort + 2*int((startPair+tried.Add(1))%uint32(pairs))
		if claim(t, port) {
			return port
		}
	}
	t.Fatalf("no free port from %d to %d", firstPort, ephemeral())
	return 0
}

// firstPort is the first of the ports that FreePort returns: all of them are
// even. The odd one behind each is its lock, held by who listens on it.
const firstPort = 12000

// tried counts the pairs of ports that this process has tried, from startPair on.
// Processes start anywhere, and none tries a port again soon: not every program
// listens on one whose last connections are in TIME_WAIT.
var (
	tried     atomic.Uint32
	startPair = rand.Uint32N(1 << 16)
)

// claim locks the port until the test ends, if it is free.
func claim(t testing.TB, port int) bool {
	lock, err := listen(port + 1)
	if err != nil {
		return false
	}
	probe, err := listen(port)
	if err != nil {
		lock.Close()
		return false
	}
	probe.Close()
	t.Cleanup(func() { lock.Close() })
	return true
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// ephemeral returns the first of the ports that the system hands out; where that leaves
// too few below it, the usual one: then a port may be taken by chance, which is rare.
func ephemeral() int {
	first := 0
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		fmt.Sscan(string(text), &first)
	}
	if first > firstPort+1000 {
		return first
	}
	return 32768 // Linux's default; the others' are higher
}

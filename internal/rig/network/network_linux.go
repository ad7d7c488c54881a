package network

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/rig"
)

// Addresses of the hosts. Each Network is its own world, so they are always
// the same.
const (
	ClientAddr = "10.0.1.2"
	ServerAddr = "10.0.2.2"
)

// A Network is a client and a server with a router between them. A host's only
// cable is "eth0" on its side; on the router's it has the host's name.
type Network struct {
	Client, Router, Server *Host

	// Secure has connections made from now on use TLS.
	Secure bool
}

// sweeping is done once.
var sweeping sync.Once

// New makes a network. It goes away with the test. The server knows no way to
// anywhere but the client's network.
func New(t testing.TB) *Network {
	t.Helper()
	rig.NeedRoot(t, "ip", "nft", "tc")
	sweeping.Do(func() { sweep(t) })
	n := &Network{Client: newHost(t, "client"), Router: newHost(t, "router"), Server: newHost(t, "server")}
	n.plug(t, n.Client, ClientAddr, "10.0.1.1")
	n.plug(t, n.Server, ServerAddr, "10.0.2.1")
	n.Client.IP(t, "route add 10.0.2.0/24 via 10.0.1.1")
	n.Server.IP(t, "route add 10.0.1.0/24 via 10.0.2.1")
	n.Router.Set(t, "net/ipv4/ip_forward", "1")
	return n
}

// plug lays the cable between the router and a host.
func (n *Network) plug(t testing.TB, h *Host, addr, gateway string) {
	t.Helper()
	n.Router.IP(t, fmt.Sprintf("link add %s type veth peer name eth0 netns %s", h.role, h.name))
	n.Router.IP(t, fmt.Sprintf("addr add %s/24 dev %s", gateway, h.role))
	n.Router.IP(t, fmt.Sprintf("link set %s up", h.role))
	h.IP(t, fmt.Sprintf("addr add %s/24 dev eth0", addr))
	h.IP(t, "link set eth0 up")
}

// A Host is a network namespace.
type Host struct {
	// Buffer is how many bytes the system holds for each socket made from now
	// on until they are acknowledged; 0 leaves that to the system.
	Buffer int

	// UserTimeout is TCP_USER_TIMEOUT of each socket made from now on, in whole
	// milliseconds; 0 leaves it out.
	UserTimeout time.Duration

	role string   // client, router or server
	name string   // of the namespace
	file *os.File // which is it
}

// sweep removes the hosts of processes that were killed before they could.
func sweep(t testing.TB) {
	names, _ := filepath.Glob("/run/netns/tandem-*")
	for _, name := range names {
		var pid int
		name = filepath.Base(name)
		if _, err := fmt.Sscanf(name, "tandem-%d-", &pid); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			run(t, "", "ip", "netns", "del", name)
		}
	}
}

// made counts hosts, so that their names differ within a process.
var made atomic.Int64

func newHost(t testing.TB, role string) *Host {
	t.Helper()
	h := &Host{role: role, name: fmt.Sprintf("tandem-%d-%d-%s", os.Getpid(), made.Add(1), role)}
	run(t, "", "ip", "netns", "add", h.name)
	t.Cleanup(func() { run(t, "", "ip", "netns", "del", h.name) })
	file, err := os.Open("/run/netns/" + h.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	h.file = file
	h.IP(t, "link set lo up")
	return h
}

// IP runs an ip command in the host.
func (h *Host) IP(t testing.TB, command string) {
	t.Helper()
	run(t, "", "ip", append([]string{"-n", h.name}, strings.Fields(command)...)...)
}

// Run runs a program in the host, with the given input, and returns its output.
func (h *Host) Run(t testing.TB, input, program string, args ...string) (output string) {
	t.Helper()
	return run(t, input, "ip", append([]string{"netns", "exec", h.name, program}, args...)...)
}

// Filter adds rules to the host's firewall, in the language of nft.
func (h *Host) Filter(t testing.TB, rules string) {
	t.Helper()
	h.Run(t, rules, "nft", "-f", "-")
}

// Slow makes what the host sends through a cable leave at 64 kbit/s. Up to 5 s
// of it wait in a queue, as in the modems that people have at home.
func (h *Host) Slow(t testing.TB, cable string) {
	t.Helper()
	h.Run(t, "", "tc", strings.Fields("qdisc add dev "+cable+" root tbf rate 64kbit burst 4kb latency 5s")...)
}

func run(t testing.TB, input, program string, args ...string) (output string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		// Errorf and not Fatalf: cleanups go on with the rest.
		t.Errorf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, input, out)
	}
	return string(out)
}

package causes

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
)

// Environment variables that make the test binary a peer.
const (
	roleVariable     = "RIG_PEER"          // "server", or the URL that a client connects to
	faceVariable     = "RIG_PEER_FACE"     // a Face's name
	intervalVariable = "RIG_PEER_INTERVAL" // of keepalive; the timeout is twice that
	busyVariable     = "RIG_PEER_BUSY"     // how many goroutines compute all the time
	plainVariable    = "RIG_PEER_PLAIN"    // "true": a client's connection only reads and writes
)

// A program is a peer in a process of its own, which echoes messages. It can
// be stopped.
type program struct {
	face    face.Face
	config  keepalive.Config // its timeout is twice its interval, or it is off
	busy    int              // how many goroutines compute all the time
	plain   bool             // a client does not know what TCP does
	process *rig.Process
}

func (p *program) serve(t *testing.T) (url string) {
	p.start(t, "server", nil)
	found, err := p.process.Await(`listens on (\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	return found[1]
}

func (p *program) connect(t *testing.T, url string) {
	p.start(t, url, rig.Prints("is connected"))
}

func (p *program) start(t *testing.T, role string, ready rig.Ready) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, faceVariable+"="+p.face.Name(),
		intervalVariable+"="+p.config.Interval.String(), busyVariable+"="+strconv.Itoa(p.busy),
		plainVariable+"="+strconv.FormatBool(p.plain))
	p.process = rig.Start(t, cmd, ready)
}

// lastWords waits until the program says how its connection has ended.
func (p *program) lastWords() string {
	found, err := p.process.Await("connection ended: .*")
	if err != nil {
		return err.Error()
	}
	return found[0]
}

// runProgram is what the peer's process does until it is killed.
func runProgram(role string) {
	busy, _ := strconv.Atoi(os.Getenv(busyVariable))
	for range busy {
		go compute() // for as long as the process lives
	}
	f, err := face.Named(os.Getenv(faceVariable))
	if err == nil {
		err = play(f, role)
	}
	fmt.Println("ended:", err)
}

// compute never waits for anything.
func compute() {
	for n := uint64(1); ; n = n*6364136223846793005 + 1442695040888963407 {
	}
}

// play is a server for ever, or a client until its connection ends.
func play(f face.Face, role string) error {
	interval, err := time.ParseDuration(os.Getenv(intervalVariable))
	if err != nil {
		return err
	}
	opts := face.Options{Keepalive: keepalive.Config{Interval: interval, Timeout: 2 * interval}}
	if os.Getenv(plainVariable) == "true" {
		opts.Dial = dialPlain
	}
	if role != "server" {
		conn, err := f.Connect(role, &opts)
		if err != nil {
			return err
		}
		fmt.Println("is connected")
		return echo(conn)
	}
	server, err := f.Serve(echo, witness.Loopback, &opts)
	if err != nil {
		return err
	}
	fmt.Printf("listens on ws://%v/\n", server.Addr())
	select {}
}

// dialPlain hides what the connection is.
func dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return struct{ net.Conn }{conn}, err
}

// echo answers each message with itself.
func echo(conn face.Conn) error {
	for {
		m, err := conn.Recv(0)
		if err == nil {
			err = conn.Send(m, 0)
		}
		if err != nil {
			fmt.Println("connection ended:", err)
			return err
		}
	}
}

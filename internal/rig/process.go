package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

// patience bounds what a rig waits for: the machine may be slow, and a browser
// starts in seconds on an idle one. Nothing that goes well takes so long.
const patience = 2 * time.Minute

// outputLimit is how many bytes of a program's output are kept.
const outputLimit = 1 << 20

// A Process is a program that a test started.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout output
	log    output // standard output and error
	guard  guard
	ended  chan struct{} // closed when err is set
	err    error
}

// A Ready waits until a program is ready to be used, or cannot be any more.
type Ready func(*Process) error

// Start starts a program in a process group of its own and returns when ready
// says so; nil is at once. When the test ends the whole group is killed, also
// if it is because the process that runs the tests was killed; if the test has
// failed the output is logged. Standard output and error of cmd are set by
// Start.
func Start(t testing.TB, cmd *exec.Cmd, ready Ready) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout = writers{&p.stdout, &p.log}
	cmd.Stderr = &p.log
	cmd.WaitDelay = 5 * time.Second // for children that keep the pipes open
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	go func() { // ends with the program, which ends with the test
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.cleanup)
	if err := p.guard.begin(cmd.Process); err != nil {
		t.Fatalf("guard of %s: %v", cmd.Path, err)
	}
	if ready == nil {
		return p
	}
	if err := ready(p); err != nil {
		t.Fatalf("%s is not ready: %v", cmd.Path, err)
	}
	return p
}

// cleanup ends the program and whatever it has started.
func (p *Process) cleanup() {
	p.Kill()
	<-p.ended
	if err := p.guard.end(); err != nil {
		p.t.Errorf("guard of %s: %v", p.cmd, err)
	}
	if p.t.Failed() {
		p.t.Logf("output of %s:\n%s", p.cmd, p.log.String())
	}
}

// Kill kills the program and its children. It may have ended already.
func (p *Process) Kill() { killGroup(p.cmd.Process) }

// Signal sends a signal to the program alone.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Pid returns the program's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Stdout returns what the program has written to standard output so far.
func (p *Process) Stdout() string { return p.stdout.String() }

// Log returns what the program has written to standard output and error.
func (p *Process) Log() string { return p.log.String() }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for the program's end, no longer than two minutes.
func (p *Process) Wait() error {
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		return fmt.Errorf("%s has not ended after %v", p.cmd.Path, patience)
	}
}

// Await waits until standard output or error matches the pattern and returns
// the match and its groups. It fails when the program ends, or after two minutes.
func (p *Process) Await(pattern string) ([]string, error) {
	re := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	ended := p.ended
	for {
		changed := p.log.next()
		if found := re.FindStringSubmatch(p.log.String()); found != nil {
			return found, nil
		}
		if ended == nil {
			return nil, fmt.Errorf("it ended (%v) and printed nothing like %q", p.err, pattern)
		}
		select {
		case <-changed:
		case <-ended: // look once more: its last words may be those
			ended = nil
		case <-timeout:
			return nil, fmt.Errorf("it printed nothing like %q in %v", pattern, patience)
		}
	}
}

// Prints is ready when the output matches the pattern.
func Prints(pattern string) Ready {
	return func(p *Process) error {
		_, err := p.Await(pattern)
		return err
	}
}

// Listens is ready when a connection can be made to the TCP address.
func Listens(address string) Ready { return Accepts("tcp", address) }

// Accepts is ready when a connection can be made to the address of the network.
func Accepts(network, address string) Ready {
	return func(p *Process) error {
		deadline := time.Now().Add(patience)
		for time.Now().Before(deadline) {
			conn, err := net.DialTimeout(network, address, time.Second)
			if err == nil {
				return conn.Close()
			}
			select {
			case <-p.ended:
				return fmt.Errorf("it ended: %w", errors.Join(p.err, err))
			case <-time.After(10 * time.Millisecond): // nothing tells when to try again
			}
		}
		return fmt.Errorf("nobody listens on %s after %v", address, patience)
	}
}

// An output keeps what a program writes.
type output struct {
	mu      sync.Mutex
	data    []byte
	changed chan struct{} // closed at the next write; nil when nobody waits
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := max(0, outputLimit-len(o.data))
	o.data = append(o.data, b[:min(len(b), room)]...)
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}

// next returns a channel that is closed at the next write.
func (o *output) next() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

// writers writes to each of them.
type writers []*output

func (w writers) Write(b []byte) (int, error) {
	for _, o := range w {
		o.Write(b)
	}
	return len(b), nil
}

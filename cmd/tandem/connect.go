package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

func connectCommand() *command {
	return &command{
		name:     "connect",
		operands: []string{"URL"},
		summary:  "send the lines that you type, print the messages that come",
		text: `
Connects to a ws or wss URL. Each line that you type, or that comes on standard
input, is sent as a text message. Messages that come are printed behind "< ";
binary ones in hexadecimal; characters that a terminal would obey are escaped
as in Go: \n, \x1b, \u202e. Ctrl-D and Ctrl-C close the connection with code
1000, for which the peer has some time; another Ctrl-C cuts it.

With --reconnect another connection is opened whenever one has ended or cannot
be opened for now, after a delay that grows. A line that is typed in between
waits for it, as long as --timeout says; what the peer had not received yet when
its connection ended is lost.

Messages go to standard output. Without a terminal all else goes to standard
error.

Exit status: 0 when the connection was closed normally by either side, or with
--reconnect when you ended it, 1 when it could not be opened, was lost or was
closed with an error, 2 for a wrong command line.`,
		setup: func(flags *flag.FlagSet) action {
			var c connectCall
			c.opening.register(flags)
			flags.BoolVar(&c.reconnect, "reconnect", false, "connect again when the connection ends or cannot be opened for now")
			flags.DurationVar(&c.maxDelay, "max-delay", reconnect.DefaultMaxDelay, "with --reconnect, wait no longer than this `TIME` before an attempt")
			flags.DurationVar(&c.timeout, "timeout", 10*time.Second, "how much `TIME` to give the opening, each message to leave, and the closing")
			return c.run
		},
	}
}

// A connectCall is what the command line asks for.
type connectCall struct {
	opening   opening
	timeout   time.Duration
	reconnect bool
	maxDelay  time.Duration
}

// maxUnprinted and maxUnprintedBytes bound the messages that wait to be printed. Reading
// pauses there, but not while the connection is closing: what comes then and has no
// room is lost. So there is room for all answers to what a pipe has sent.
const (
	maxUnprinted      = 1 << 20
	maxUnprintedBytes = 64 << 20
)

// run connects, and leaves the terminal alone until that has worked: as long as
// it is in its usual mode, Ctrl-C ends the attempt.
func (c *connectCall) run(ctx context.Context, operands []string, std stdio) (status int) {
	if c.timeout <= 0 || c.maxDelay <= 0 {
		fmt.Fprintln(std.err, "tandem connect: a time is not more than 0")
		return statusUsage
	}
	opts := c.opening.options()
	opts.OpenTimeout, opts.CloseTimeout = c.timeout, c.timeout
	opts.MaxQueue, opts.MaxQueueBytes = maxUnprinted, maxUnprintedBytes
	if c.reconnect {
		return c.stay(ctx, operands[0], opts, std)
	}
	conn, err := wsasync.Connect(ctx, operands[0], opts)
	if err != nil {
		fmt.Fprintf(std.err, "tandem connect: %s\n", escape(explainRefusal(err)))
		return statusFailed
	}
	console, err := openConsole(std)
	if err != nil {
		conn.Close()
		fmt.Fprintf(std.err, "tandem connect: %v\n", err)
		return statusFailed
	}
	console.status(connected(operands[0], conn))
	end := c.talk(ctx, conn, console)
	console.close("Connection " + describeEnd(end))
	if !errors.Is(end, protocol.ErrClosedOK) {
		return statusFailed
	}
	return statusOK
}

// explainRefusal adds to the error what a server that refused has to say, without
// the end of the line that most answers have.
func explainRefusal(err error) string {
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) {
		return err.Error()
	}
	const enough = 200
	if said := bytes.TrimSpace(refused.Body); len(said) > 0 {
		return fmt.Sprintf("%v: %.*s", err, enough, said)
	}
	return err.Error()
}

// connected tells where to, and which subprotocol the server chose if there was
// a choice.
func connected(url string, conn *wsasync.ClientConn) string {
	text := "Connected to " + escape(url)
	if name := conn.Subprotocol(); name != "" {
		text += " with subprotocol " + escape(name)
	}
	return text + "."
}

// talk carries messages both ways until the connection ends, and returns how.
// The goroutine that reads lines may then still wait for one, which nobody can
// interrupt; it ends with the standard input or the process.
func (c *connectCall) talk(ctx context.Context, conn *wsasync.ClientConn, console console) error {
	var closing atomic.Bool
	leave := func() {
		if closing.Swap(true) {
			conn.CloseNow() // the user is tired of waiting for the peer
		}
		conn.Close()
	}
	stop := context.AfterFunc(ctx, leave)
	defer stop()
	go func() {
		sendLines(func(line string) error { return c.send(conn, line) }, console)
		if ctx.Err() == nil {
			leave()
		}
	}()
	receive(conn, console)
	return conn.Err()
}

// receive prints messages until the connection has ended.
func receive(conn *wsasync.ClientConn, console console) {
	for m, err := range conn.Messages(context.Background()) {
		if err == nil {
			console.message(describeMessage(m))
		}
	}
	<-conn.Done()
}

// lastLines is how long lines that were typed may take to leave when there are no more.
const lastLines = time.Second

// sendLines sends lines until there are no more, or nothing can be sent. What is typed is
// read also while a line cannot leave, for in raw mode Ctrl-C is seen only then; and who
// has typed it does not wait for that line.
func sendLines(send func(line string) error, console console) {
	lines, over := make(chan string, console.typeAhead()), make(chan struct{})
	go func() { // ends behind the last line, or when nothing can be sent
		defer close(over)
		for line := range lines {
			if !sendLine(send, line, console) {
				return
			}
		}
	}()
	readLines(lines, over, console)
	close(lines)
	var enough <-chan time.Time
	if console.typeAhead() > 0 {
		enough = time.After(lastLines)
	}
	select {
	case <-over:
	case <-enough:
	}
}

// readLines reads lines until there are no more, or nothing can be sent.
func readLines(lines chan<- string, over <-chan struct{}, console console) {
	for {
		line, err := console.readLine()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				console.status("Cannot read: " + escape(err.Error()))
			}
			return
		}
		select {
		case lines <- line:
		case <-over:
			return
		}
	}
}

// sendLine sends a line and reports whether others may follow.
func sendLine(send func(line string) error, line string, console console) (more bool) {
	err := send(line)
	if errors.Is(err, protocol.ErrClosed) {
		return false // and the end is told
	}
	if err != nil {
		console.status("Not sent: " + escape(err.Error()))
	}
	return true
}

// send sends a line, in a bounded time.
func (c *connectCall) send(conn *wsasync.ClientConn, line string) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	return conn.SendText(ctx, line)
}

// describeMessage returns a message in a line of graphic characters.
func describeMessage(m protocol.Message) string {
	if m.Type == protocol.Binary {
		return fmt.Sprintf("(binary) %x", m.Data)
	}
	return escape(m.String())
}

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// A console is where lines come from and messages go. One goroutine reads;
// any may write.
type console interface {
	readLine() (string, error) // io.EOF when the user wants no more
	message(line string)       // from the peer
	status(line string)        // from us
	close(last string)         // the last status
	typeAhead() int            // how many lines are read while one cannot leave; 0: nobody types
}

// openConsole returns one for a terminal if both ends are one, else one for
// plain lines.
func openConsole(std stdio) (console, error) {
	in, ok := terminalFile(std.in)
	out, ok2 := terminalFile(std.out)
	if !ok || !ok2 {
		return newPlainConsole(std), nil
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	c := newTerminalConsole(in, out)
	c.size = func() (width, height int, err error) { return term.GetSize(int(out.Fd())) }
	c.restore = func() { term.Restore(int(in.Fd()), before) }
	return c, nil
}

// terminalFile returns v as a file if it is a terminal.
func terminalFile(v any) (file *os.File, ok bool) {
	file, ok = v.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// plainConsole reads and writes lines, for pipes and files.
type plainConsole struct {
	lines *bufio.Scanner
	std   stdio
	mu    sync.Mutex // guards writing
}

// maxLine bounds a line that is read. Peers that keep to the usual limits do
// not take larger messages.
const maxLine = 1 << 20

func newPlainConsole(std stdio) *plainConsole {
	lines := bufio.NewScanner(std.in)
	lines.Buffer(nil, maxLine+2) // and its line break
	return &plainConsole{lines: lines, std: std}
}

func (c *plainConsole) readLine() (string, error) {
	switch {
	case c.lines.Scan():
		return c.lines.Text(), nil
	case c.lines.Err() != nil:
		return "", c.lines.Err()
	}
	return "", io.EOF
}

func (c *plainConsole) message(line string) { c.write(c.std.out, "< "+line) }

func (c *plainConsole) status(line string) { c.write(c.std.err, line) }

func (c *plainConsole) write(w io.Writer, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(w, line)
}

func (c *plainConsole) typeAhead() int { return 0 }

func (c *plainConsole) close(last string) { c.status(last) }

// terminalConsole edits the line that is typed, below what is written: a
// message that comes meanwhile goes above it. The terminal is in raw mode, so
// Ctrl-C is a key like others; it ends the input as Ctrl-D does.
type terminalConsole struct {
	term    *term.Terminal
	screen  *screen
	size    func() (width, height int, err error)
	restore func() // the terminal's mode
}

func newTerminalConsole(in io.Reader, out io.Writer) *terminalConsole {
	screen := &screen{out: out}
	keys := struct {
		io.Reader
		io.Writer
	}{in, screen}
	return &terminalConsole{term: term.NewTerminal(keys, "> "), screen: screen}
}

// longestTyped is how many characters package term keeps of a line; what is more it
// drops without a word.
const longestTyped = 4096

// readLine takes a line that was pasted, of which package term makes an error, like any
// other.
func (c *terminalConsole) readLine() (string, error) {
	c.resize()
	for {
		line, err := c.term.ReadLine()
		switch {
		case err != nil && !errors.Is(err, term.ErrPasteIndicator):
			c.restoreMode() // from here on Ctrl-C is a signal again
			return "", err
		case utf8.RuneCountInString(line) < longestTyped:
			return line, nil
		}
		c.status("Not sent: the line is too long to be typed; use a pipe")
	}
}

func (c *terminalConsole) message(line string) { c.write("< " + line) }

func (c *terminalConsole) status(line string) { c.write(line) }

func (c *terminalConsole) write(line string) {
	c.resize()
	fmt.Fprintln(c.term, line)
}

func (c *terminalConsole) typeAhead() int { return 100 }

// resize follows the window's size. What is on the screen is drawn anew only
// with the next line, which is soon enough. A terminal that does not know its
// size, as on a serial line, says 0.
func (c *terminalConsole) resize() {
	if c.size == nil {
		return
	}
	if width, height, err := c.size(); err == nil && width > 0 {
		c.term.SetSize(width, height)
	}
}

// close takes the prompt from the screen and restores the terminal. What was
// half typed stays, on a line of its own, where it can be copied from.
func (c *terminalConsole) close(last string) {
	c.term.SetPrompt("")
	c.status(last)
	c.screen.endLine()
	c.restoreMode()
}

func (c *terminalConsole) restoreMode() {
	if c.restore != nil {
		c.restore()
	}
}

// A screen remembers whether a line is unfinished.
type screen struct {
	out io.Writer

	mu         sync.Mutex // guards the following, and writing
	unfinished bool
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(data) > 0 {
		s.unfinished = data[len(data)-1] != '\n'
	}
	return s.out.Write(data)
}

// endLine ends a line that is unfinished.
func (s *screen) endLine() {
	s.mu.Lock()
	unfinished := s.unfinished
	s.mu.Unlock()
	if unfinished {
		io.WriteString(s, "\r\n")
	}
}

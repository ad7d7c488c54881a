package main

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// terminal runs test with a console on a terminal in memory. In a bubble, so
// that synctest.Wait tells when the console has taken what was typed.
func terminal(t *testing.T, test func(t *testing.T, c *terminalConsole, keys io.Writer, screen *transcript)) {
	synctest.Test(t, func(t *testing.T) {
		in, keys := io.Pipe()
		defer keys.Close()
		screen := newTranscript()
		test(t, newTerminalConsole(in, screen), keys, screen)
		synctest.Wait()
	})
}

// TestTerminalKeepsTypedLine: a message that comes while a line is being typed
// goes above it, and the line goes on.
func TestTerminalKeepsTypedLine(t *testing.T) {
	terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, screen *transcript) {
		lines := make(chan string, 1)
		go func() { // ends with the line
			line, _ := c.readLine()
			lines <- line
		}()
		io.WriteString(keys, "half")
		synctest.Wait()
		before := screen.String()
		c.message("hello")
		// Six columns back, which are the prompt and "half", clear the line,
		// the message, and the prompt and line anew.
		if got, want := strings.TrimPrefix(screen.String(), before), "\x1b[6D\x1b[K< hello\r\n> half"; got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		io.WriteString(keys, " a line\r")
		if got, want := <-lines, "half a line"; got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	})
}

// TestTerminalEnd: both keys that end the input do so, also the one that
// raises a signal where the terminal is not in raw mode.
func TestTerminalEnd(t *testing.T) {
	for name, typed := range map[string]string{"Ctrl-D": "\x04", "Ctrl-C": "\x03", "Ctrl-C in a line": "half\x03"} {
		t.Run(name, func(t *testing.T) {
			terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, _ *transcript) {
				go io.WriteString(keys, typed) // ends when it is read
				if _, err := c.readLine(); !errors.Is(err, io.EOF) {
					t.Errorf("got %v, want %v", err, io.EOF)
				}
			})
		})
	}
}

// TestTerminalLeave: who wants to leave does not wait for a line that cannot leave; but
// one that can does.
func TestTerminalLeave(t *testing.T) {
	for _, test := range []struct {
		name string
		took time.Duration // by a line to leave
		want time.Duration
		sent string
	}{
		{"stuck", time.Hour, lastLines, ""},
		{"slow", lastLines / 3, 2 * (lastLines / 3), "one two "},
		{"at once", 0, 0, "one two "},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, _ *transcript) {
				var sent atomic.Value
				sent.Store("")
				go io.WriteString(keys, "one\rtwo\r\x03") // ends when it is read
				begun := time.Now()
				sendLines(func(line string) error {
					time.Sleep(test.took)
					sent.Store(sent.Load().(string) + line + " ")
					return nil
				}, c)
				if took := time.Since(begun); took != test.want || sent.Load() != test.sent {
					t.Errorf("left after %v with %q sent, want %v and %q", took, sent.Load(), test.want, test.sent)
				}
				time.Sleep(2 * time.Hour) // until the last line has left
			})
		})
	}
}

// TestTerminalPaste: a terminal that marks what is pasted, as a program before us may
// have asked it to, has pasted lines read like others.
func TestTerminalPaste(t *testing.T) {
	terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, _ *transcript) {
		go io.WriteString(keys, "\x1b[200~pasted\rtoo\r\x1b[201~typed\r") // ends when it is read
		for _, want := range []string{"pasted", "too", "typed"} {
			if line, err := c.readLine(); line != want || err != nil {
				t.Errorf("read %q, %v; want %q", line, err, want)
			}
		}
	})
}

// TestTerminalLongLine: a line of which the end got lost is not sent, and the next one
// is read.
func TestTerminalLongLine(t *testing.T) {
	terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, screen *transcript) {
		go func() { // ends when it is read
			io.WriteString(keys, strings.Repeat("é", longestTyped+1)+"\r")
			io.WriteString(keys, "next\r")
		}()
		if line, err := c.readLine(); line != "next" || err != nil {
			t.Errorf("read %d bytes, %v", len(line), err)
		}
		checkContains(t, "the screen", screen.String(), "Not sent: the line is too long to be typed; use a pipe\r\n")
	})
}

// TestTerminalClose: the prompt goes, what was half typed stays, and the shell
// that comes next finds itself at the start of a line, in the terminal's old
// mode.
func TestTerminalClose(t *testing.T) {
	for _, test := range []struct{ name, typed, want string }{
		{"nothing typed", "", "\x1b[2D\x1b[Klast\r\n"},
		{"half a line typed", "half", "\x1b[6D\x1b[Klast\r\nhalf\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, screen *transcript) {
				restored := false
				c.restore = func() { restored = true }
				go c.readLine() // ends when keys is closed
				io.WriteString(keys, test.typed)
				synctest.Wait()
				before := screen.String()
				c.close("last")
				if got := strings.TrimPrefix(screen.String(), before); got != test.want {
					t.Errorf("wrote %q, want %q", got, test.want)
				}
				if !restored {
					t.Error("the terminal is left in raw mode")
				}
			})
		})
	}
}

// TestTerminalSize: a window's size is taken, but not one of nothing, which
// would put each character on a line of its own.
func TestTerminalSize(t *testing.T) {
	for _, test := range []struct {
		name  string
		width int
		want  string
	}{
		{"unknown", 0, "> abcdef"},
		{"wide", 80, "> abcdef"},
		{"narrow", 5, "> abc\r\ndef"},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal(t, func(t *testing.T, c *terminalConsole, keys io.Writer, screen *transcript) {
				c.size = func() (width, height int, err error) { return test.width, test.width, nil }
				go c.readLine() // ends when keys is closed
				io.WriteString(keys, "abcdef")
				synctest.Wait()
				if got := screen.String(); got != test.want {
					t.Errorf("wrote %q, want %q", got, test.want)
				}
			})
		})
	}
}

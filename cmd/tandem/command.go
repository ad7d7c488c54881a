package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// A command is one of the things that the tool does.
type command struct {
	name     string
	operands []string // their names, in capitals
	summary  string   // in a line
	text     string   // what it does and its exit statuses
	setup    func(*flag.FlagSet) action
}

// An action runs a command whose flags have been read.
type action func(ctx context.Context, operands []string, std stdio) (status int)

// commands returns all commands, in the order of the overview.
func commands() []*command {
	return []*command{connectCommand(), serveCommand(), pingCommand(), probeCommand(), demoCommand()}
}

// find returns the command with the name, nil if there is none.
func find(name string) *command {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd
		}
	}
	return nil
}

// prepare returns the command's flags, and the action that uses them. What the
// flag package would print is written by whoever parses.
func (cmd *command) prepare() (*flag.FlagSet, action) {
	flags := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags, cmd.setup(flags)
}

// line returns how the command is called.
func (cmd *command) line() string {
	words := append([]string{"tandem", cmd.name, "[flags]"}, cmd.operands...)
	return strings.Join(words, " ")
}

// writeHelp writes all there is to know about the command. Flags are written
// with two hyphens, as most tools have them; the flag package takes both.
func (cmd *command) writeHelp(w io.Writer) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", cmd.line(), strings.TrimSpace(cmd.text))
	flags, _ := cmd.prepare()
	heading := "\nFlags:\n"
	flags.VisitAll(func(f *flag.Flag) {
		fmt.Fprint(w, heading)
		heading = ""
		writeFlag(w, f)
	})
}

// writeFlag describes one flag: its name, what it takes, and its default
// unless that is nothing.
func writeFlag(w io.Writer, f *flag.Flag) {
	value, usage := flag.UnquoteUsage(f)
	if value != "" {
		value = " " + value
	}
	fmt.Fprintf(w, "  --%s%s\n        %s", f.Name, value, usage)
	switch f.DefValue {
	case "", "0", "false":
	default:
		fmt.Fprintf(w, " (default %s)", f.DefValue)
	}
	fmt.Fprintln(w)
}

// writeOverview writes a line about each command.
func writeOverview(w io.Writer) {
	fmt.Fprint(w, "Tandem talks WebSocket from a terminal.\n\nusage: tandem COMMAND [flags] ...\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(w, `  help     tell more about a command: tandem help COMMAND

Exit status: 0 when all went well, 1 when it did not, 2 for a wrong command
line. Each command's help says what that means for it.
`)
}

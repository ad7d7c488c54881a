// Command tandem talks WebSocket from a terminal: it connects, serves echoes,
// measures round trips, and shows what keepalive does. See "tandem help".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// stdio is what a command reads from and writes to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// The exit statuses that all commands share; "tandem help COMMAND" tells what
// they mean for each.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

func main() {
	// The first Ctrl-C lets a command end in good order, the second ends it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run finds the command and runs it.
func run(ctx context.Context, args []string, std stdio) (status int) {
	if len(args) == 0 {
		writeOverview(std.err)
		return statusUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return help(args, std)
	}
	if cmd := find(name); cmd != nil {
		return cmd.execute(ctx, args, std)
	}
	return unknown(name, std)
}

// help writes about the tool, or about the command that is named.
func help(args []string, std stdio) (status int) {
	if len(args) == 0 {
		writeOverview(std.out)
		return statusOK
	}
	cmd := find(args[0])
	if cmd == nil {
		return unknown(args[0], std)
	}
	cmd.writeHelp(std.out)
	return statusOK
}

func unknown(name string, std stdio) (status int) {
	fmt.Fprintf(std.err, "tandem: there is no command %q; see \"tandem help\"\n", name)
	return statusUsage
}

// execute reads the command's flags and operands, and runs it.
func (cmd *command) execute(ctx context.Context, args []string, std stdio) (status int) {
	flags, action := cmd.prepare()
	operands, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		cmd.writeHelp(std.out)
		return statusOK
	case err == nil && len(operands) != len(cmd.operands):
		err = fmt.Errorf("%d operands; usage: %s", len(operands), cmd.line())
	}
	if err != nil {
		fmt.Fprintf(std.err, "tandem %s: %s; see \"tandem help %s\"\n", cmd.name, escape(err.Error()), cmd.name)
		return statusUsage
	}
	return action(ctx, operands, std)
}

// parse parses flags before and behind the operands, so that one can be added
// to a line that was typed before.
func parse(flags *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		args = flags.Args()
		if len(args) == 0 {
			return operands, nil
		}
		operands, args = append(operands, args[0]), args[1:]
	}
}

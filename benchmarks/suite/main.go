//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

func main() {
	measure.BeServer()
	out := flag.String("o", "results.json", "the file of results")
	only := flag.String("only", "", "measure only the cases whose names match this expression")
	rounds := flag.Int("rounds", 5, "rounds of each case")
	duration := flag.Duration("duration", 500*time.Millisecond, "of one round of one server")
	list := flag.Bool("list", false, "list the cases and end")
	flag.Parse()
	if err := run(*out, *only, *rounds, *duration, *list); err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(1)
	}
}

func run(out, only string, rounds int, duration time.Duration, list bool) error {
	expression, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	data, err := measure.ReadData(out)
	if err != nil {
		return err
	}
	data.Describe()
	cases := measure.Cases(measure.HasPython())
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
	}
	for _, c := range cases {
		if !expression.MatchString(c.Name) {
			continue
		}
		if list {
			fmt.Printf("%-40s %s\n", c.Name, c.Title())
			continue
		}
		outcome, err := measure.Run(c, roundsOf(c, rounds), duration)
		if err != nil {
			return err
		}
		outcome.Tandem = data.Versions["tandem"]
		outcome.Print(os.Stdout)
		data.Put(outcome, names)
		if err := data.Write(out); err != nil {
			return err
		}
	}
	return nil
}

// roundsOf returns how often a case is measured: memory varies little, and many
// connections take long to open.
func roundsOf(c measure.Case, rounds int) int {
	if c.Kind == measure.Idle {
		return min(rounds, 3)
	}
	return rounds
}

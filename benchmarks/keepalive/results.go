package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// readRounds returns the rounds in a file, none if there is no such file.
func readRounds(name string) (all []round) {
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	check(err)
	defer file.Close()
	for in := json.NewDecoder(file); ; {
		var r round
		err := in.Decode(&r)
		if err == io.EOF {
			return all
		}
		check(err)
		all = append(all, r)
	}
}

// keepRound appends a round to the file.
func keepRound(name string, r round) {
	if name == "" {
		return
	}
	file := must(os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666))
	check(json.NewEncoder(file).Encode(r))
	check(file.Close())
}

// print prints the medians of each server, with the least and the greatest.
func (p *plan) print(all []round) {
	said := "nobody says anything"
	if p.every > 0 {
		said = fmt.Sprintf("each client says something every %v", p.every)
	}
	fmt.Printf("%d connections, a ping every %v, %s\n", p.conns, interval, said)
	for _, name := range p.servers {
		of := func(value func(*round) float64) spread { return spreadOf(all, name, value) }
		if p.late {
			fmt.Printf("%-14s late: median %s, p99.9 %s, at most %s ms\n", name,
				of(func(r *round) float64 { return 1000 * r.Late[0] }).format("%.2f"),
				of(func(r *round) float64 { return 1000 * r.Late[1] }).format("%.1f"),
				of(func(r *round) float64 { return 1000 * r.Late[2] }).format("%.0f"))
			continue
		}
		fmt.Printf("%-14s CPU of 100,000 pings %s s, memory of a connection %s B, pings seen of those due %s\n", name,
			of(func(r *round) float64 { return r.CPU * 100_000 / 1e9 }).format("%.3f"),
			of(func(r *round) float64 { return r.Memory }).format("%.0f"),
			of(func(r *round) float64 { return float64(r.Pings) / r.due(p.conns) }).format("%.2f"))
	}
}

// due returns how many pings were.
func (r *round) due(conns int) float64 { return float64(conns) * r.Took.Seconds() / interval.Seconds() }

// A spread is the values of all rounds, sorted.
type spread []float64

func spreadOf(all []round, server string, value func(*round) float64) (s spread) {
	for i := range all {
		if all[i].Server == server {
			s = append(s, value(&all[i]))
		}
	}
	slices.Sort(s)
	return s
}

// format returns the median, and in parentheses the least and the greatest.
func (s spread) format(verb string) string {
	return fmt.Sprintf(verb+" ("+verb+" to "+verb+")", s[len(s)/2], s[0], s[len(s)-1])
}

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

// sample has a result for every case.
func sample() *measure.Data {
	d := &measure.Data{Versions: map[string]string{"tandem": "v1", "gws": "v2"}}
	for i, c := range measure.Cases(true) {
		o := &measure.Outcome{Case: c, Date: "2026-01-02", Rounds: make(map[string][]measure.Round)}
		for j, server := range c.Servers {
			for round := range 3 {
				v := float64(1000 + 100*i + 10*j + round)
				o.Rounds[server] = append(o.Rounds[server], measure.Round{
					measure.CPU: v, measure.P50: v, measure.P99: v, measure.Wire: v, measure.Memory: v,
				})
			}
		}
		d.Outcomes = append(d.Outcomes, o)
	}
	return d
}

func TestSameBytes(t *testing.T) {
	first := files(sample())
	for range 10 {
		if again := files(sample()); !maps.EqualFunc(first, again, bytes.Equal) {
			t.Fatal("the same results made different files")
		}
	}
}

// The page has each case, and shows every chart.
func TestPage(t *testing.T) {
	all := files(sample())
	page := string(all["performance.md"])
	for _, c := range measure.Cases(true) {
		if !strings.Contains(page, "| "+c.Title()+" |") {
			t.Errorf("no row for %q", c.Title())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasSuffix(name, ".svg") {
			testChart(t, page, name, all[name])
		}
	}
}

func testChart(t *testing.T, page, name string, text []byte) {
	if !strings.Contains(page, "("+name+")") {
		t.Errorf("the page does not show %s", name)
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestMedian(t *testing.T) {
	o := sample().Outcomes[0]
	if median, least, most := o.Median("raw", measure.CPU); median != 1001 || least != 1000 || most != 1002 {
		t.Errorf("median %v of %v to %v, want 1001 of 1000 to 1002", median, least, most)
	}
}

package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// What a round has values of.
const (
	CPU    = "cpu"    // of what is measured, in ns per message, connection or call
	P50    = "p50"    // of the round trip, in ns
	P99    = "p99"    // of the round trip, in ns
	Wire   = "wire"   // bytes of a message's answer, with its header
	Memory = "memory" // resident bytes of the server, per connection
)

// units of the values as they are printed, with the divisor that leads there.
var units = []struct {
	value, title string
	divisor      float64
	digits       int
}{
	{CPU, "CPU ns", 1, 0},
	{P50, "p50 µs", 1e3, 1},
	{P99, "p99 µs", 1e3, 1},
	{Wire, "wire", 1, 0},
	{Memory, "bytes", 1, 0},
}

// A Round is what one round of one server came to.
type Round map[string]float64

// MarshalJSON leaves out digits that mean nothing.
func (r Round) MarshalJSON() ([]byte, error) {
	short := make(map[string]json.Number, len(r))
	for name, value := range r {
		short[name] = json.Number(strconv.FormatFloat(value, 'f', max(0, 3-len(strconv.Itoa(int(value)))), 64))
	}
	return json.Marshal(short)
}

// An Outcome is what a case came to: the rounds of each server.
type Outcome struct {
	Case   Case
	Date   string // of the measurement
	Tandem string // its version
	Rounds map[string][]Round
}

// Median returns the median of a server's rounds, and the least and the
// greatest value.
func (o *Outcome) Median(server, value string) (median, least, most float64) {
	var all []float64
	for _, r := range o.Rounds[server] {
		all = append(all, r[value])
	}
	return middle(all)
}

func middle(all []float64) (median, least, most float64) {
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2, all[0], all[n-1]
}

// Ratio returns what a server's value is in parts of the yardstick's: the median of
// what it is within each round, in which both met the same machine.
func (o *Outcome) Ratio(server, value string) float64 {
	yardstick, all := o.Rounds[o.Case.Servers[0]], make([]float64, 0, len(o.Rounds[server]))
	for i, r := range o.Rounds[server] {
		all = append(all, r[value]/yardstick[i][value])
	}
	ratio, _, _ := middle(all)
	return ratio
}

// Print writes the outcome as a table of text.
func (o *Outcome) Print(w io.Writer) {
	fmt.Fprintln(w, o.Case.Title())
	for _, server := range o.Case.Servers {
		fmt.Fprintf(w, "%-13s", server)
		for _, u := range units {
			median, least, most := o.Median(server, u.value)
			if median == 0 {
				continue
			}
			fmt.Fprintf(w, "  %s %.*f (%.*f to %.*f)", u.title, u.digits, median/u.divisor, u.digits, least/u.divisor, u.digits, most/u.divisor)
			if u.value == CPU || u.value == Memory {
				fmt.Fprintf(w, " ratio %.2f", o.Ratio(server, u.value))
			}
		}
		fmt.Fprintln(w)
	}
}

package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

// A section is a table of the page, with a chart of it.
type section struct {
	title, text string
	outcomes    []*measure.Outcome
	value       string // what is shown
	unit        unit
	chart       string // name of the chart, "" for none
	relative    bool   // the chart shows ratios
}

// A unit says how a value is written.
type unit struct {
	name    string
	divisor float64
	digits  int
}

var (
	micros = unit{"µs", 1e3, 1}
	nanos  = unit{"ns", 1, 1}
	kilo   = unit{"kB", 1e3, 1}
)

func (u unit) format(v float64) string { return fmt.Sprintf("%.*f", u.digits, v/u.divisor) }

// files returns the page and the charts by their names.
func files(d *measure.Data) map[string][]byte {
	all := make(map[string][]byte)
	var page bytes.Buffer
	page.WriteString(opening(d))
	for _, s := range sections(d) {
		if len(s.outcomes) == 0 {
			continue
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n", s.title, s.text)
		if s.chart != "" {
			name := "performance/" + s.chart + ".svg"
			all[name] = chart(s)
			fmt.Fprintf(&page, "![%s](%s)\n\n", s.title, name)
		}
		page.WriteString(table(s))
	}
	all["performance.md"] = page.Bytes()
	return all
}

func opening(d *measure.Data) string {
	var dates, ours []string
	for _, o := range d.Outcomes {
		dates, ours = append(dates, o.Date), append(ours, o.Tandem)
	}
	return fmt.Sprintf(`# Performance

<!-- Made by benchmarks/report from benchmarks/results.json: "make bench" measures
and writes both. Change the programs and not this page. -->

Measured on %s: %s, %d cores, %s, %s.
%s.

Each server ran in a process of its own, under the load of one thread that costs
all of them the same, with all defaults of Tandem, keepalive among them. The
figures are medians of rounds, the least and the greatest stand in brackets, and a
ratio is the median of those within the rounds: in a round, all servers are under
load in turn, a few hundredths or tenths of a second each. "raw" is a TCP echo in
Go without any framing, with a goroutine and a buffer for each connection. "recv"
are messages of one's own (`+"`Recv`"+`), "release" the same, given back when they
are answered (`+"`Message.Release`"+`), and the others are received into the caller's
buffer (`+"`RecvAppend`"+`). gws gives its messages back too.
The other libraries are set up as they recommend it for speed; see
[the programs](../benchmarks). [What makes these costs](topics/performance.md)
is a page of its own.
`, unique(dates), d.Machine.Processor, d.Machine.Cores, d.Machine.Kernel, d.Machine.Go, versions(d, unique(ours)))
}

// unique joins what there is in a list, each once.
func unique(list []string) string {
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

func versions(d *measure.Data, ours string) string {
	list := []string{"Tandem " + ours}
	for _, name := range append(slices.Clone(measure.Peers), "python") {
		if v := d.Versions[name]; v != "" {
			list = append(list, title(name)+" "+v)
		}
	}
	return strings.Join(list, ", ")
}

func title(server string) string {
	if server == "python" {
		return "Python websockets"
	}
	return server
}

// sections are the tables of the page, in their order.
func sections(d *measure.Data) []section {
	depth := func(n int) (list []*measure.Outcome) {
		for _, o := range d.Of(measure.Echo) {
			if o.Case.Depth == n && o.Case.Size < 1<<20 && (o.Case.Conns == 64 || o.Case.Conns == 1000) {
				list = append(list, o)
			}
		}
		return list
	}
	var large, growth []*measure.Outcome
	for _, o := range d.Of(measure.Echo) {
		switch {
		case o.Case.Size == 1<<20:
			large = append(large, o)
		case o.Case.Conns == 100 || o.Case.Conns == 10_000:
			growth = append(growth, o)
		}
	}
	return []section{
		{"One message at a time", "Server CPU per message in µs; the ratio to raw in bold.",
			depth(1), measure.CPU, micros, "depth1", true},
		{"Sixteen messages at a time", "Server CPU per message in µs, when 16 messages come at once; the ratio to raw in bold.",
			depth(16), measure.CPU, micros, "depth16", true},
		{"Latency, one message", "Round trip in µs of which 99 % were not longer, while the machine is fully loaded.",
			depth(1), measure.P99, micros, "", false},
		{"Latency, sixteen messages", "The same for 16 messages that are sent at once, until the last answer.",
			depth(16), measure.P99, micros, "", false},
		{"Large messages", "Server CPU per message of 1 MiB in µs.",
			large, measure.CPU, micros, "large", true},
		{"Many connections", "Server CPU per message in µs.",
			growth, measure.CPU, micros, "", true},
		{"Memory of idle connections", "Resident memory of the server per connection in kB, after messages and a collection.",
			d.Of(measure.Idle), measure.Memory, kilo, "idle", false},
		{"Compression", "Server CPU in µs per message that is received and sent compressed. Levels and windows are each library's defaults.",
			d.Of(measure.Deflate), measure.CPU, micros, "deflate", false},
		{"What compression saves", "Bytes of such an answer.",
			d.Of(measure.Deflate), measure.Wire, unit{"bytes", 1, 0}, "", false},
		{"Clients", "CPU of the client in µs per message that it sends and gets back.",
			d.Of(measure.Client), measure.CPU, micros, "client", true},
		{"Broadcasts", "Server CPU in µs per message that it sends.",
			d.Of(measure.Broadcast), measure.CPU, micros, "broadcast", true},
		{"Opening handshakes", "Server CPU in µs per connection that is opened and ends, with all that the kernel does for it.",
			d.Of(measure.Handshake), measure.CPU, micros, "", true},
		{"Masking", "Time in ns.",
			d.Of(measure.Mask), measure.CPU, nanos, "", false},
	}
}

// table has a row for each case and a column for each server.
func table(s section) string {
	var b strings.Builder
	servers := serversOf(s.outcomes)
	b.WriteString("| case |")
	for _, server := range servers {
		b.WriteString(" " + server + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(servers)) + "\n")
	for _, o := range s.outcomes {
		b.WriteString("| " + o.Case.Title() + " |")
		for _, server := range servers {
			b.WriteString(" " + cell(s, o, server) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(s section, o *measure.Outcome, server string) string {
	median, least, most := o.Median(server, s.value)
	if median == 0 {
		return ""
	}
	text := fmt.Sprintf("%s (%s–%s)", s.unit.format(median), s.unit.format(least), s.unit.format(most))
	if s.relative {
		text = fmt.Sprintf("**%.2f** %s", o.Ratio(server, s.value), text)
	}
	return text
}

// serversOf are the servers of all the cases, in the order of their appearance.
func serversOf(outcomes []*measure.Outcome) (servers []string) {
	for _, o := range outcomes {
		for _, server := range o.Case.Servers {
			if !slices.Contains(servers, server) {
				servers = append(servers, server)
			}
		}
	}
	return servers
}

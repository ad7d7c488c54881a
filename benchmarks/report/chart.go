package main

import (
	"bytes"
	"fmt"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

// The measures of a chart in pixels.
const (
	chartWidth = 760
	barsAt     = 130
	barsWidth  = 520
	barHeight  = 14
	barPitch   = 18
	groupGap   = 34
)

// chart draws a group of bars for each case, one bar for each server. The
// longest bar of a group is as long as can be: what compares is within a group.
func chart(s section) []byte {
	var b bytes.Buffer
	y := 8
	for _, o := range s.outcomes {
		y += 16
		fmt.Fprintf(&b, `<text x="8" y="%d" class="case">%s</text>`+"\n", y, o.Case.Title())
		y += 8
		y = group(&b, s, o, y)
		y += groupGap - 24
	}
	style := `<style>text{font:12px sans-serif;fill:#222}.case{font-weight:bold}.own{fill:#1b7f79}.peer{fill:#9aa5b1}.base{fill:#d3d9df}` +
		`@media(prefers-color-scheme:dark){text{fill:#ddd}.base{fill:#59636e}}</style>`
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img"><title>%s</title>`+"\n%s\n",
		chartWidth, y, chartWidth, y, s.title, style)
	return append([]byte(head), append(b.Bytes(), "</svg>\n"...)...)
}

// group draws the bars of a case and returns where they end.
func group(b *bytes.Buffer, s section, o *measure.Outcome, y int) int {
	longest := 0.0
	for _, server := range o.Case.Servers {
		if median, _, _ := o.Median(server, s.value); server != "python" {
			longest = max(longest, median)
		}
	}
	for _, server := range o.Case.Servers {
		median, _, _ := o.Median(server, s.value)
		// Python's bar would make the others too short to see: it is cut.
		width := min(median/longest, 1) * barsWidth
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barsAt-6, y+barHeight-3, server)
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" class="%s"/>`, barsAt, y, width, barHeight, class(server))
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", barsAt+width+5, y+barHeight-3, label(s, o, server))
		y += barPitch
	}
	return y
}

func class(server string) string {
	switch server {
	case "raw":
		return "base"
	case "sync", "sync-recv", "sync-release", "async", "async-recv", "async-release", "tandem":
		return "own"
	default:
		return "peer"
	}
}

func label(s section, o *measure.Outcome, server string) string {
	if s.relative {
		return fmt.Sprintf("%.2f", o.Ratio(server, s.value))
	}
	median, _, _ := o.Median(server, s.value)
	return s.unit.format(median) + " " + s.unit.name
}

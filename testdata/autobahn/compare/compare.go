package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Outcome is the suite's verdict on a case: on what happened in it, and on
// how its connection was closed. The suite's index.json has more in it.
type Outcome struct {
	Behavior      string `json:"behavior"`
	BehaviorClose string `json:"behaviorClose"`
}

// Cases are outcomes by the number of the case, such as "6.4.1".
type Cases map[string]Outcome

// A Report is an index.json: cases by agent.
type Report map[string]Cases

// compare tells how the report differs from what is expected of each agent. A
// case too many is a difference as one too few is: expectations that nobody
// looks at would rot, and so would a suite that leaves cases out.
func compare(expected Cases, report Report, agents []string) (differences []string) {
	for _, agent := range agents {
		got, ran := report[agent]
		if !ran {
			differences = append(differences, agent+": not in the report")
			continue
		}
		for _, number := range numbers(expected, got) {
			if d := difference(expected, got, number); d != "" {
				differences = append(differences, fmt.Sprintf("%s: case %s: %s", agent, number, d))
			}
		}
	}
	return differences
}

// difference compares one case; "" means that there is none.
func difference(expected, got Cases, number string) string {
	want, known := expected[number]
	have, ran := got[number]
	switch {
	case !known:
		return fmt.Sprintf("is %+v, and nothing is expected of it", have)
	case !ran:
		return "did not run"
	case have != want:
		return fmt.Sprintf("is %+v, want %+v", have, want)
	}
	return ""
}

// numbers returns the numbers of all cases, as the suite orders them: 2.10
// comes behind 2.9.
func numbers(sets ...Cases) (all []string) {
	for _, set := range sets {
		for number := range set {
			all = append(all, number)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return slices.Compare(parts(a), parts(b)) })
	return slices.Compact(all)
}

func parts(number string) (values []int) {
	for part := range strings.SplitSeq(number, ".") {
		value, _ := strconv.Atoi(part) // what is no number comes first
		values = append(values, value)
	}
	return values
}

package main

import (
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCompare: whatever the report says otherwise, or not at all, is told.
func TestCompare(t *testing.T) {
	ok, failed := Outcome{"OK", "OK"}, Outcome{"FAILED", "OK"}
	expected := Cases{"2.9": ok, "2.10": ok}
	for name, test := range map[string]struct {
		report Report
		want   []string
	}{
		"the same": {Report{"a": {"2.9": ok, "2.10": ok}}, nil},
		"another agent too, which nobody asked for": {
			Report{"a": {"2.9": ok, "2.10": ok}, "b": {"2.9": failed}}, nil},
		"another behavior": {Report{"a": {"2.9": failed, "2.10": ok}},
			[]string{"a: case 2.9: is {Behavior:FAILED BehaviorClose:OK}, want {Behavior:OK BehaviorClose:OK}"}},
		"another close": {Report{"a": {"2.9": ok, "2.10": {"OK", "UNCLEAN"}}},
			[]string{"a: case 2.10: is {Behavior:OK BehaviorClose:UNCLEAN}, want {Behavior:OK BehaviorClose:OK}"}},
		"a case that did not run, and a new one": {Report{"a": {"2.10": ok, "2.11": ok}},
			[]string{"a: case 2.9: did not run", "a: case 2.11: is {Behavior:OK BehaviorClose:OK}, and nothing is expected of it"}},
		"no agent": {Report{}, []string{"a: not in the report"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := compare(expected, test.report, []string{"a"}); !slices.Equal(got, test.want) {
				t.Errorf("differences:\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}

// TestExpected looks at the expectations themselves: 517 cases, of which three
// are informational (they tell what an endpoint does where RFC 6455 says
// nothing), and no excuse for any other.
func TestExpected(t *testing.T) {
	var expected Cases
	if err := readJSON("../expected.json", &expected); err != nil {
		t.Fatal(err)
	}
	informational := Outcome{"INFORMATIONAL", "INFORMATIONAL"}
	other := []string{"7.1.6", "7.13.1", "7.13.2"}
	for number, outcome := range expected {
		want := Outcome{"OK", "OK"}
		if slices.Contains(other, number) {
			want = informational
		}
		if outcome != want {
			t.Errorf("case %s is expected to be %+v, want %+v", number, outcome, want)
		}
	}
	if len(expected) != 517 {
		t.Errorf("%d cases, want 517", len(expected))
	}
}

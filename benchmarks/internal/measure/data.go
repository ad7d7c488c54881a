package measure

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// Data are the results of a suite, which may have been measured in pieces.
type Data struct {
	Machine  Machine
	Versions map[string]string // of the libraries, by their servers' names
	Outcomes []*Outcome
}

// A Machine is where it was measured.
type Machine struct {
	Processor string
	Cores     int
	Kernel    string
	Go        string
}

// ReadData reads a file of results. One that does not exist has none.
func ReadData(path string) (*Data, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(Data), nil
	}
	if err != nil {
		return nil, err
	}
	d := new(Data)
	return d, json.Unmarshal(text, d)
}

// Write writes the file of results.
func (d *Data) Write(path string) error {
	text, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Put adds an outcome, in place of an earlier one of the same case, in the order
// of names.
func (d *Data) Put(o *Outcome, names []string) {
	d.Outcomes = slices.DeleteFunc(d.Outcomes, func(old *Outcome) bool {
		return old.Case.Name == o.Case.Name || !slices.Contains(names, old.Case.Name)
	})
	d.Outcomes = append(d.Outcomes, o)
	slices.SortStableFunc(d.Outcomes, func(a, b *Outcome) int {
		return slices.Index(names, a.Case.Name) - slices.Index(names, b.Case.Name)
	})
}

// Of returns the outcomes of a kind.
func (d *Data) Of(kind Kind) (outcomes []*Outcome) {
	for _, o := range d.Outcomes {
		if o.Case.Kind == kind {
			outcomes = append(outcomes, o)
		}
	}
	return outcomes
}

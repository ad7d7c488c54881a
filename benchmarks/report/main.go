package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tandemws/tandem/benchmarks/internal/measure"
)

func main() {
	in := flag.String("i", "results.json", "the file of results")
	out := flag.String("o", "../docs", "the folder to write performance.md and performance/*.svg to")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	data, err := measure.ReadData(in)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "performance"), 0o755); err != nil {
		return err
	}
	for name, text := range files(data) {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

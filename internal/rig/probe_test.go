package rig

import (
	"runtime"
	"testing"
)

// A probe is a test that remembers how it ended.
type probe struct {
	testing.TB
	skipped, failed bool
}

func (p *probe) Helper() {}

func (p *probe) Cleanup(func()) {} // it never ends

func (p *probe) Skipf(string, ...any) {
	p.skipped = true
	runtime.Goexit()
}

func (p *probe) Fatalf(string, ...any) {
	p.failed = true
	runtime.Goexit()
}

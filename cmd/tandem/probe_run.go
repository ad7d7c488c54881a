package main

import (
	"context"
	"fmt"
	"time"
)

// A tester opens a connection, has it silent for a time, and returns what
// became of that.
type tester func(ctx context.Context, silence time.Duration) (outcome, error)

// A probing is a search under way: the trials that it asks for, each in a
// goroutine of its own, never more than the search allows.
type probing struct {
	search *search
	try    tester
	report func(outcome)

	trying   map[time.Duration]context.CancelFunc // by silence; no two are the same
	results  chan result
	failures int // connections that could not be used
}

// A result is that of one trial.
type result struct {
	silence time.Duration
	outcome outcome
	err     error
}

// maxFailures is how many connections may fail before the search gives up. A
// server may refuse so many at once, which is not about silence, so there are
// fewer after each.
const maxFailures = 4

// run searches until the search is over, ctx ends, or connections cannot be
// opened. What is known by then is in the search. No trial is left when it
// returns.
func (p *probing) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	p.trying, p.results = make(map[time.Duration]context.CancelFunc), make(chan result)
	for {
		for err == nil && ctx.Err() == nil && p.begin(ctx) {
		}
		if len(p.trying) == 0 {
			cancel()
			return err
		}
		if failed := p.take(<-p.results); failed != nil && err == nil && ctx.Err() == nil {
			err = failed
			cancel() // the rest is not waited for
		}
	}
}

// begin begins the next trial, if there is one.
func (p *probing) begin(ctx context.Context) (ok bool) {
	silence, ok := p.search.next(len(p.trying))
	if !ok {
		return false
	}
	ctx, p.trying[silence] = context.WithCancel(ctx)
	go func() { // ends with the trial, whose result run waits for
		o, err := p.try(ctx, silence)
		p.results <- result{silence, o, err}
	}()
	return true
}

// take takes the result of a trial, and ends those from which nothing can be
// learned any more.
func (p *probing) take(r result) error {
	cancelled := p.end(r.silence)
	if r.err != nil {
		return p.fail(r, cancelled)
	}
	if r.outcome.Fate != noOutcome {
		p.search.note(r.outcome)
		p.report(r.outcome)
	}
	for silence, cancel := range p.trying {
		if p.search.useless(silence) {
			cancel()
		}
	}
	return nil
}

// end forgets a trial, and reports whether it was to end early.
func (p *probing) end(silence time.Duration) (cancelled bool) {
	cancelled = p.search.useless(silence)
	p.trying[silence]()
	delete(p.trying, silence)
	return cancelled
}

// fail counts a connection that could not be used, and has its silence tried
// again, or gives up. The first one that fails is enough if none ever worked.
func (p *probing) fail(r result, cancelled bool) error {
	if cancelled {
		return nil
	}
	p.failures++
	if p.failures >= maxFailures || p.search.blank() && len(p.trying) == 0 {
		return fmt.Errorf("a silence of %s could not be tried: %w", seconds(r.silence), r.err)
	}
	p.search.retry(r.silence)
	return nil
}

//go:build linux

package measure

import (
	"fmt"
	"slices"
	"time"
)

// A subject is one server, or a process of clients, that is measured in a round.
type subject interface {
	// turn has it under load for a time.
	turn(time.Duration) (sample, error)

	stop()
}

// starts begin a subject.
var starts = map[Kind]func(c Case, name string) (subject, error){
	Echo:      startEcho,
	Deflate:   startDeflate,
	Client:    startClient,
	Broadcast: startBroadcast,
	Handshake: startHandshake,
	Mask:      startMask,
}

// Run measures a case in so many rounds, in which each server is under load for
// the duration.
func Run(c Case, rounds int, duration time.Duration) (*Outcome, error) {
	o := &Outcome{Case: c, Date: time.Now().UTC().Format(time.DateOnly), Rounds: make(map[string][]Round)}
	for i := range rounds {
		if err := o.round(i, duration); err != nil {
			return nil, fmt.Errorf("%s, %w", c.Title(), err)
		}
	}
	return o, nil
}

// maxConns is to how many connections there may be servers side by side: each
// takes an open file.
const maxConns = 15_000

// round measures all servers in a round, as many of them as possible in turn.
// The first is another one in each round.
func (o *Outcome) round(i int, duration time.Duration) error {
	if o.Case.Kind == Idle {
		return o.idleRound()
	}
	names, first := o.Case.Servers, i%len(o.Case.Servers)
	names = slices.Concat(names[first:], names[:first])
	for together := range slices.Chunk(names, max(1, maxConns/max(1, o.Case.Conns))) {
		if err := o.inTurn(together, duration); err != nil {
			return err
		}
	}
	return nil
}

// inTurn measures servers side by side: each is under load for a part of the
// duration, then the next, and again. What else the machine does meanwhile, and how
// fast it is, changes within seconds, and so meets all of them.
func (o *Outcome) inTurn(names []string, duration time.Duration) error {
	samples := make([]sample, len(names))
	subjects, err := startAll(o.Case, names, duration/4)
	turns := o.Case.turns(duration)
	for range turns {
		for i := 0; i < len(names) && err == nil; i++ {
			var s sample
			s, err = subjects[i].turn(duration / time.Duration(turns))
			err = of(names[i], err)
			samples[i].add(s)
		}
	}
	for _, s := range subjects {
		s.stop()
	}
	for i, name := range names {
		o.Rounds[name] = append(o.Rounds[name], samples[i].round())
	}
	return err
}

// startAll starts servers, each of which then is under load for a time that does
// not count.
func startAll(c Case, names []string, warm time.Duration) (subjects []subject, err error) {
	for _, name := range names {
		s, err := starts[c.Kind](c, name)
		if err != nil {
			return subjects, of(name, err)
		}
		subjects = append(subjects, s)
		if _, err = s.turn(warm); err != nil {
			return subjects, of(name, err)
		}
	}
	return subjects, nil
}

// of says whose error it is.
func of(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// idleRound measures memory, for which nothing has to be in turn.
func (o *Outcome) idleRound() error {
	for _, name := range o.Case.Servers {
		r, err := idle(o.Case, name)
		if err != nil {
			return of(name, err)
		}
		o.Rounds[name] = append(o.Rounds[name], r)
	}
	return nil
}

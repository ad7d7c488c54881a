//go:build linux

package measure

import (
	"fmt"
	"time"
)

// kinds measure one server in one round.
var kinds = map[Kind]func(c Case, name string, duration time.Duration) (Round, error){
	Echo:      echo,
	Deflate:   deflate,
	Idle:      idle,
	Client:    client,
	Broadcast: broadcast,
	Handshake: handshake,
	Mask:      mask,
}

// Run measures a case in so many rounds, in which each server is under load for
// the duration.
func Run(c Case, rounds int, duration time.Duration) (*Outcome, error) {
	o := &Outcome{Case: c, Date: time.Now().UTC().Format(time.DateOnly), Rounds: make(map[string][]Round)}
	for range rounds {
		for _, name := range c.Servers {
			r, err := kinds[c.Kind](c, name, duration)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.Title(), name, err)
			}
			o.Rounds[name] = append(o.Rounds[name], r)
		}
	}
	return o, nil
}

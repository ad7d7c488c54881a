package suite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/protocol"
)

// TestModel does what can be done with a connection, at random, and knows what has to come
// of it: whichever of the ways through package link a message takes, short or long, what
// is sent is received, once and in order, and memory has one owner. It does so in virtual
// time, and with sockets, for which some of the ways are made.
//
// TANDEM_SEEDS=7-7 is a single seed, and 1000-99999 a long run.
func TestModel(t *testing.T) {
	first, last := seeds(t)
	EachEnd(t, func(t *testing.T, e End) {
		for seed := first; seed <= last; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { newPlay(t, e, rand.NewPCG(seed, 0), true).run(100) })
				newPlay(t, e, rand.NewPCG(seed, 1), false).run(100)
			})
		}
	})
}

// seeds returns the first and the last one.
func seeds(t *testing.T) (first, last uint64) {
	text := os.Getenv("TANDEM_SEEDS")
	if text == "" {
		return 0, 19
	}
	if _, err := fmt.Sscanf(text, "%d-%d", &first, &last); err != nil {
		t.Fatalf("TANDEM_SEEDS is %q: %v", text, err)
	}
	return first, last
}

// FuzzModel is TestModel with choices of the fuzzer's, and at random behind those.
func FuzzModel(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed, randomBytes(200*int(seed)))
	}
	f.Fuzz(func(t *testing.T, seed uint64, made []byte) {
		for _, face := range Faces {
			for _, role := range []protocol.Role{protocol.Client, protocol.Server} {
				synctest.Test(t, func(t *testing.T) {
					e := End{Face: face, Role: role}
					e.Options.Keepalive.Interval = noPings
					newPlay(t, e, &choices{made, rand.NewPCG(seed, 0)}, true).run(100)
				})
			}
		}
	})
}

// choices are made, and then at random.
type choices struct {
	made   []byte
	random rand.Source
}

// Uint64 returns a number of which the first byte decides, as it does of choices among
// few.
func (c *choices) Uint64() uint64 {
	if len(c.made) == 0 {
		return c.random.Uint64()
	}
	first := c.made[0]
	c.made = c.made[1:]
	return uint64(first) << 56
}

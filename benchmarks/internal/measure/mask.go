//go:build linux

package measure

import (
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// A masking masks a payload over and over, in this process.
type masking struct {
	payload []byte
	mask    func([]byte, [4]byte)
}

func startMask(c Case, name string) (subject, error) {
	return &masking{make([]byte, c.Size), peers.Masks[name]}, nil
}

func (m *masking) turn(d time.Duration) (sample, error) {
	return clock(ownCPU).time(func() (*load.Result, error) {
		var calls int64
		for end := time.Now().Add(d / 4); calls == 0 || time.Now().Before(end); {
			for range max(1, 1<<20/len(m.payload)) {
				m.mask(m.payload, [4]byte{1, 2, 3, 4})
				calls++
			}
		}
		return &load.Result{Messages: calls}, nil
	})
}

func (m *masking) stop() {}

func ownCPU() (time.Duration, error) { return process.OwnCPU(), nil }

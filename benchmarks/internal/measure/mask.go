//go:build linux

package measure

import (
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/peers"
	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// mask measures the CPU time of masking a payload once, in this process.
func mask(c Case, name string, duration time.Duration) (Round, error) {
	payload, mask := make([]byte, c.Size), peers.Masks[name]
	calls := 0
	begun := process.OwnCPU()
	for end := time.Now().Add(duration / 4); calls == 0 || time.Now().Before(end); {
		for range max(1, 1<<20/c.Size) {
			mask(payload, [4]byte{1, 2, 3, 4})
			calls++
		}
	}
	return Round{CPU: float64(process.OwnCPU()-begun) / float64(calls)}, nil
}

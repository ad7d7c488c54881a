//go:build !race

package link

import "testing"

// TestMemoryAllocates lends the same memory again and again. Under the race detector
// a pool loses some of what it is given.
func TestMemoryAllocates(t *testing.T) {
	m := lending()
	for class := range classes {
		n := testing.AllocsPerRun(100, func() {
			data := m.Lend(sizeOf(class))
			m.Return(data[:len(data)+1])
			m.Release(m.Lend(sizeOf(class) - 1))
		})
		if n > 0 {
			t.Errorf("%v allocations to lend %d bytes", n, sizeOf(class))
		}
	}
}

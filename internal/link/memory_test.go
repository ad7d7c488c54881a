package link

import (
	"testing"
	"unsafe"

	"github.com/tandemws/tandem/protocol"
)

// lending is memory of which some was released.
func lending() *memory {
	m := new(memory)
	m.Release(nil)
	return m
}

// TestMemoryClasses has memory lent for the sizes around each class. That of a
// class is as much as the allocator would make of it anyhow.
func TestMemoryClasses(t *testing.T) {
	m, below := lending(), 0
	for class := range classes {
		size := sizeOf(class)
		for _, n := range []int{below + 1, size - 1, size} {
			if data := m.Lend(n); len(data) != 0 || cap(data) != size {
				t.Errorf("%d of %d bytes lent for %d, want room for %d", len(data), cap(data), n, size)
			}
		}
		if made := cap(append([]byte{}, make([]byte, size)...)); made != size {
			t.Errorf("the allocator makes %d bytes of %d", made, size)
		}
		below = size
	}
	if sizeOf(0) != minKept || below != maxKept {
		t.Errorf("classes of %d to %d bytes, want %d to %d", sizeOf(0), below, minKept, maxKept)
	}
	if data := m.Lend(0); data == nil || cap(data) != minKept {
		t.Errorf("room for %d bytes lent for none, want %d", cap(data), minKept)
	}
	if data := m.Lend(maxKept + 1); len(data) != 0 || cap(data) != maxKept+1 {
		t.Errorf("room for %d bytes lent for more than are kept", cap(data))
	}
}

// TestMemoryNotKept gives back what is not exactly that of a class: parts of
// something larger, and what nobody has lent.
func TestMemoryNotKept(t *testing.T) {
	m := lending()
	for class := range classes {
		size := sizeOf(class)
		whole := make([]byte, size+1)
		for _, data := range [][]byte{whole, whole[2:], whole[: size-1 : size-1], whole[size:], whole[:0:0]} {
			m.Release(data)
			m.Return(data)
		}
	}
	m.Release(nil)
	m.Release([]byte{})
	m.Release(make([]byte, 2*maxKept))
	for class := range classes {
		if first, ok := m.pools[class].Get().(*byte); ok {
			t.Errorf("memory at %p is kept as that of %d bytes", unsafe.Pointer(first), sizeOf(class))
		}
	}
}

// TestMemoryUnused: until the first message is released nothing is kept, and
// messages are as long as append makes them.
func TestMemoryUnused(t *testing.T) {
	m := new(memory)
	m.Return(make([]byte, 1024))
	if first := m.pools[classOf(1024)].Get(); first != nil {
		t.Error("memory is kept although nobody has released a message")
	}
	if data := m.Lend(1000); data == nil || cap(data) != 0 {
		t.Errorf("%d bytes lent although nobody has released a message", cap(data))
	}
	m.Release(nil)
	if data := m.Lend(1000); cap(data) != 1024 {
		t.Errorf("room for %d bytes lent for 1000, want 1024", cap(data))
	}
}

// TestReleaseReaches: what a message's Release gives back comes to released.
func TestReleaseReaches(t *testing.T) {
	m := protocol.TextMessage("once")
	m.Release()
	m.Release()
	if m.Data != nil || !released.used.Load() {
		t.Errorf("data %q left; released: %v", m.Data, released.used.Load())
	}
}

// TestMemoryAside: what is sent from large memory does not follow its own place within
// a page closely when it comes behind a header in a page of its own.
func TestMemoryAside(t *testing.T) {
	for n := 32 << 10; n <= 4<<20; n *= 2 { // smaller ones do not begin with a page
		for _, used := range []bool{false, true} {
			m := new(memory)
			m.used.Store(used)
			for name, data := range map[string][]byte{
				"lent":  m.Lend(n)[:n],
				"grown": growLarge([]byte("before"), n)[:n],
			} {
				from := int(uintptr(unsafe.Pointer(&data[0])) % 4096)
				for header := 2; header <= protocol.MaxHeaderSize; header++ {
					if behind := (header - from + 4096) % 4096; behind > 0 && behind < 32 {
						t.Errorf("%d bytes, %s, used %t: at %d within a page, behind a header of %d", n, name, used, from, header)
					}
				}
			}
		}
	}
}

package sync

import (
	"testing"
	"unsafe"
)

// TestServerConnSize: of all that an idle connection takes, this is what we can
// do something about. The bound is a size class of the allocator, of which 18 fill
// a page of its own. What is only needed while something is under way belongs at
// the desk of package link.
func TestServerConnSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the size is that of 64 bits")
	}
	if got := unsafe.Sizeof(ServerConn{}); got > 448 {
		t.Errorf("a ServerConn has %d bytes, want 448 at most", got)
	}
}

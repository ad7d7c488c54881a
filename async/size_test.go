package async

import (
	"testing"
	"unsafe"
)

// TestServerConnSize is that of package sync. The bound is a size class of the
// allocator, of which 16 fill a page; of the next one 15 do.
func TestServerConnSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the size is that of 64 bits")
	}
	if got := unsafe.Sizeof(ServerConn{}); got > 480 {
		t.Errorf("a ServerConn has %d bytes, want 480 at most", got)
	}
}

package async

import (
	"testing"
	"unsafe"
)

// TestServerConnSize is that of package sync. The bound is a size class of the
// allocator; with a byte more it would be one of 576, of which 8 are for
// the collector.
func TestServerConnSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the size is that of 64 bits")
	}
	if got := unsafe.Sizeof(ServerConn{}); got > 512 {
		t.Errorf("a ServerConn has %d bytes, want 512 at most", got)
	}
}

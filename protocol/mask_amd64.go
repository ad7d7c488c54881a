//go:build !purego

package protocol

import "golang.org/x/sys/cpu"

// minMaskVector is the length in bytes from which the vectors of the processor
// are worth the call.
const minMaskVector = 64

// maskVector masks at least minMaskVector bytes.
func maskVector(dst, src []byte, k uint32) {
	if cpu.X86.HasAVX2 {
		maskAVX2(&dst[0], &src[0], len(src), k)
	} else {
		maskSSE2(&dst[0], &src[0], len(src), k)
	}
}

// maskAVX2 masks n bytes, at least 32.
//
//go:noescape
func maskAVX2(dst, src *byte, n int, k uint32)

// maskSSE2 masks n bytes, at least 16. Every processor of this kind has SSE2.
//
//go:noescape
func maskSSE2(dst, src *byte, n int, k uint32)

//go:build !purego

package protocol

// minMaskVector is the length in bytes from which the vectors of the processor
// are worth the call.
const minMaskVector = 64

// maskVector masks at least minMaskVector bytes.
func maskVector(dst, src []byte, k uint32) { maskNEON(&dst[0], &src[0], len(src), k) }

// maskNEON masks n bytes, at least 16. Every processor of this kind has NEON.
//
//go:noescape
func maskNEON(dst, src *byte, n int, k uint32)

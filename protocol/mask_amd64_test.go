//go:build !purego

package protocol

import "golang.org/x/sys/cpu"

func init() {
	maskKinds["SSE2"] = maskKind{16, func(dst, src []byte, k uint32) { maskSSE2(&dst[0], &src[0], len(src), k) }}
	if cpu.X86.HasAVX2 {
		maskKinds["AVX2"] = maskKind{32, func(dst, src []byte, k uint32) { maskAVX2(&dst[0], &src[0], len(src), k) }}
	}
}

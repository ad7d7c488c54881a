//go:build !purego

package protocol

func init() {
	maskKinds["NEON"] = maskKind{16, func(dst, src []byte, k uint32) { maskNEON(&dst[0], &src[0], len(src), k) }}
}

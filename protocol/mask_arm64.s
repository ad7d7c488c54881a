//go:build !purego

#include "textflag.h"

// The last vector of the payload is taken apart, so that what is left consists
// of whole vectors. It may overlap them, and the destination may be the source:
// it is loaded before and stored after all others, with the same bytes where
// they overlap.

// func maskNEON(dst, src *byte, n int, k uint32)
TEXT ·maskNEON(SB), NOSPLIT, $0-28
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  n+16(FP), R2
	MOVWU k+24(FP), R3
	VDUP  R3, V0.S4

	// V1 is the last vector, for R7: n-16 bytes later, for the key the same as
	// n bytes. The processor takes the count of a rotation modulo 32.
	LSL  $3, R2, R4
	RORW R4, R3, R5
	VDUP R5, V1.S4
	ADD  R2, R1, R6
	SUB  $16, R6
	ADD  R2, R0, R7
	SUB  $16, R7
	VLD1 (R6), [V2.B16]
	VEOR V2.B16, V1.B16, V1.B16

	SUBS $64, R2
	BLT  rest

loop:
	VLD1.P 64(R1), [V4.B16, V5.B16, V6.B16, V7.B16]
	VEOR   V0.B16, V4.B16, V4.B16
	VEOR   V0.B16, V5.B16, V5.B16
	VEOR   V0.B16, V6.B16, V6.B16
	VEOR   V0.B16, V7.B16, V7.B16
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R0)
	SUBS   $64, R2
	BGE    loop

rest:
	ADD $64, R2

single:
	CMP    $16, R2
	BLE    done
	VLD1.P 16(R1), [V4.B16]
	VEOR   V0.B16, V4.B16, V4.B16
	VST1.P [V4.B16], 16(R0)
	SUB    $16, R2
	B      single

done:
	VST1 [V1.B16], (R7)
	RET

//go:build !purego

#include "textflag.h"

// Both functions take the first and the last vector of the payload apart, so
// that what is left between them consists of whole vectors and is aligned in the
// destination. The two may overlap the rest, and the destination may be the
// source: they are loaded before and stored after all others, with the same
// bytes where they overlap.
//
// The key for what comes d bytes later is rotated to the right by 8*d bits; the
// processor takes the count modulo 32.

// func maskAVX2(dst, src *byte, n int, k uint32)
TEXT ·maskAVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), BX
	MOVL k+24(FP), AX

	// Y2 is the first vector, for R8.
	MOVQ         DI, R8
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        (SI), Y0, Y2

	// Y3 is the last vector, for R9: n-32 bytes later, the same as n bytes.
	LEAQ         -32(DI)(BX*1), R9
	MOVL         AX, DX
	LEAQ         (BX*8), CX
	RORL         CX, DX
	VMOVD        DX, X1
	VPBROADCASTD X1, Y1
	VPXOR        -32(SI)(BX*1), Y1, Y3

	// Go on with the first aligned address behind dst: 1 to 32 bytes later.
	MOVQ         DI, DX
	NOTQ         DX
	ANDQ         $31, DX
	INCQ         DX
	ADDQ         DX, DI
	ADDQ         DX, SI
	SUBQ         DX, BX
	LEAQ         (DX*8), CX
	RORL         CX, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0

	CMPQ BX, $224 // behind the first vector: enough that the last four begin behind what is aligned
	JGE  avx2Long
	SUBQ $128, BX
	JL   avx2Rest

avx2Loop:
	VPXOR   (SI), Y0, Y4
	VPXOR   32(SI), Y0, Y5
	VPXOR   64(SI), Y0, Y6
	VPXOR   96(SI), Y0, Y7
	VMOVDQA Y4, (DI)
	VMOVDQA Y5, 32(DI)
	VMOVDQA Y6, 64(DI)
	VMOVDQA Y7, 96(DI)
	ADDQ    $128, SI
	ADDQ    $128, DI
	SUBQ    $128, BX
	JGE     avx2Loop

avx2Rest:
	ADDQ $128, BX

avx2Single:
	CMPQ    BX, $32
	JLE     avx2Done
	VPXOR   (SI), Y0, Y4
	VMOVDQA Y4, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $32, BX
	JMP     avx2Single

avx2Done:
	VMOVDQU Y3, (R9)
	VMOVDQU Y2, (R8)
	VZEROUPPER
	RET

avx2Long:
	// Four vectors are taken apart at the end, so that there is no rest.
	VPXOR -128(SI)(BX*1), Y1, Y8
	VPXOR -96(SI)(BX*1), Y1, Y9
	VPXOR -64(SI)(BX*1), Y1, Y10
	LEAQ  -96(R9), R10

avx2LongLoop:
	VPXOR   (SI), Y0, Y4
	VPXOR   32(SI), Y0, Y5
	VPXOR   64(SI), Y0, Y6
	VPXOR   96(SI), Y0, Y7
	VMOVDQA Y4, (DI)
	VMOVDQA Y5, 32(DI)
	VMOVDQA Y6, 64(DI)
	VMOVDQA Y7, 96(DI)
	ADDQ    $128, SI
	ADDQ    $128, DI
	CMPQ    DI, R10
	JB      avx2LongLoop
	VMOVDQU Y8, (R10)
	VMOVDQU Y9, 32(R10)
	VMOVDQU Y10, 64(R10)
	JMP     avx2Done

// func maskSSE2(dst, src *byte, n int, k uint32)
TEXT ·maskSSE2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), BX
	MOVL k+24(FP), AX

	// X2 is the first vector, for R8.
	MOVQ   DI, R8
	MOVL   AX, X0
	PSHUFL $0, X0, X0
	MOVOU  (SI), X2
	PXOR   X0, X2

	// X3 is the last vector, for R9.
	LEAQ   -16(DI)(BX*1), R9
	MOVL   AX, DX
	LEAQ   (BX*8), CX
	RORL   CX, DX
	MOVL   DX, X1
	PSHUFL $0, X1, X1
	MOVOU  -16(SI)(BX*1), X3
	PXOR   X1, X3

	// Go on with the first aligned address behind dst: 1 to 16 bytes later.
	MOVQ   DI, DX
	NOTQ   DX
	ANDQ   $15, DX
	INCQ   DX
	ADDQ   DX, DI
	ADDQ   DX, SI
	SUBQ   DX, BX
	LEAQ   (DX*8), CX
	RORL   CX, AX
	MOVL   AX, X0
	PSHUFL $0, X0, X0

	SUBQ $64, BX
	JL   sse2Rest

sse2Loop:
	MOVOU (SI), X4
	MOVOU 16(SI), X5
	MOVOU 32(SI), X6
	MOVOU 48(SI), X7
	PXOR  X0, X4
	PXOR  X0, X5
	PXOR  X0, X6
	PXOR  X0, X7
	MOVOA X4, (DI)
	MOVOA X5, 16(DI)
	MOVOA X6, 32(DI)
	MOVOA X7, 48(DI)
	ADDQ  $64, SI
	ADDQ  $64, DI
	SUBQ  $64, BX
	JGE   sse2Loop

sse2Rest:
	ADDQ $64, BX

sse2Single:
	CMPQ  BX, $16
	JLE   sse2Done
	MOVOU (SI), X4
	PXOR  X0, X4
	MOVOA X4, (DI)
	ADDQ  $16, SI
	ADDQ  $16, DI
	SUBQ  $16, BX
	JMP   sse2Single

sse2Done:
	MOVOU X3, (R9)
	MOVOU X2, (R8)
	RET

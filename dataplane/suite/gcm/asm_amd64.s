// AES-GCM (NIST SP 800-38D) with VAES and VPCLMULQDQ: four blocks in each register, eight in each pass of a loop.
// Operands are in Go's order: sources, then destination.

#include "go_asm.h"
#include "textflag.h"

// General registers. POWER moves along the powers of H beside SRC.
#define KEYS AX
#define DST DI
#define SRC SI
#define LEFT CX
#define POWER BX
#define TAG DX
#define TMP R8
#define ROUNDS R9

// Vector registers, and below the names of low parts of some.
#define S0 Z0 // AES states of the pass
#define S1 Z1
#define C0 Z2 // ciphertext that GHASH takes, octets turned round
#define C1 Z3
#define H0 Z4 // powers of H for them
#define H1 Z5
#define T0 Z6
#define T1 Z7
#define T2 Z8
#define T3 Z9
#define LO Z10 // sums of products: low, middle and high parts
#define MI Z11
#define HI Z12
#define TURN Z13  // turns the octets of each block round
#define CTR Z14   // next four counter blocks
#define FOUR Z15  // adds four to each
#define K0 Z16    // round keys, each in all four places
#define K1 Z17
#define K2 Z18
#define K3 Z19
#define K4 Z20
#define K5 Z21
#define K6 Z22
#define K7 Z23
#define K8 Z24
#define K9 Z25
#define KLAST Z26
#define MASK Z27  // E(J0)
#define K10 Z28   // AES-256 only
#define K11 Z29
#define K12 Z30
#define K13 Z31

#define C0X X2
#define C0Y Y2
#define C1X X3
#define H0X X4
#define H0Y Y4
#define T0X X6
#define T0Y Y6
#define T1X X7
#define LOX X10
#define MIX X11
#define HIX X12
#define HIY Y12
#define TURNX X13
#define CTRX X14
#define MASKX X27

DATA turn<>+0(SB)/8, $0x08090a0b0c0d0e0f
DATA turn<>+8(SB)/8, $0x0001020304050607
GLOBL turn<>(SB), NOPTR|RODATA, $16

// Counters of a record stay below 256: adding to the last octet of a block is inc32 (6.2).
DATA first<>+0x00(SB)/8, $0
DATA first<>+0x08(SB)/8, $0x0100000000000000
DATA first<>+0x10(SB)/8, $0
DATA first<>+0x18(SB)/8, $0x0200000000000000
DATA first<>+0x20(SB)/8, $0
DATA first<>+0x28(SB)/8, $0x0300000000000000
DATA first<>+0x30(SB)/8, $0
DATA first<>+0x38(SB)/8, $0x0400000000000000
GLOBL first<>(SB), NOPTR|RODATA, $64

DATA four<>+0(SB)/8, $0
DATA four<>+8(SB)/8, $0x0400000000000000
GLOBL four<>(SB), NOPTR|RODATA, $16

// The polynomial of GHASH (6.3) as the reduction wants it: x^128 + x^127 + x^126 + x^121 + 1.
DATA polynomial<>+0(SB)/8, $1
DATA polynomial<>+8(SB)/8, $0xc200000000000000
GLOBL polynomial<>(SB), NOPTR|RODATA, $16

#define ROUND(key) \
	VAESENC key, S0, S0; \
	VAESENC key, S1, S1

// LOW, MIDDLE and HIGH make the four partial products of four blocks and four powers, without reduction (6.3).
#define LOW(c, h, t) VPCLMULQDQ $0x00, h, c, t
#define MIDDLE(c, h, t, u) VPCLMULQDQ $0x01, h, c, t; VPCLMULQDQ $0x10, h, c, u
#define HIGH(c, h, t) VPCLMULQDQ $0x11, h, c, t
#define ADD2(a, b, sum) VPTERNLOGD $0x96, a, b, sum

// HASH adds C0 and C1 times their powers to the sums (GHASH, 6.4). In three parts, to stand between AES rounds.
#define HASH_LOW \
	VMOVDQU64 (POWER), H0;   \
	VMOVDQU64 64(POWER), H1; \
	ADDQ $128, POWER;        \
	LOW(C0, H0, T0);         \
	LOW(C1, H1, T1);         \
	ADD2(T0, T1, LO)

#define HASH_MIDDLE \
	MIDDLE(C0, H0, T0, T1); \
	MIDDLE(C1, H1, T2, T3); \
	ADD2(T0, T1, MI);       \
	ADD2(T2, T3, MI)

#define HASH_HIGH \
	HIGH(C0, H0, T0); \
	HIGH(C1, H1, T1); \
	ADD2(T0, T1, HI)

// REDUCE(lo, mi, hi, p, t) leaves the sum modulo the polynomial in hi: lo is folded into mi, then mi into hi.
#define REDUCE(lo, mi, hi, p, t) \
	VPCLMULQDQ $0x01, lo, p, t; \
	VPSHUFD $0x4e, lo, lo;      \
	ADD2(t, lo, mi);            \
	VPCLMULQDQ $0x01, mi, p, t; \
	VPSHUFD $0x4e, mi, mi;      \
	ADD2(t, mi, hi)

// START loads keys and constants, makes E(J0) (7.1, steps 2 and 6), and begins the sums with the products
// of AAD and lengths: these need not wait for the content.
#define START \
	MOVQ k+0(FP), KEYS; \
	MOVQ nonce+8(FP), TMP; \
	VMOVQ (TMP), CTRX; \
	VPINSRD $2, 8(TMP), CTRX, CTRX; \
	MOVL $0x01000000, TMP; \
	VPINSRD $3, TMP, CTRX, CTRX; \
	VSHUFI64X2 $0, CTR, CTR, CTR; \
	VBROADCASTI32X4 keys_round+0x00(KEYS), K0; \
	VBROADCASTI32X4 keys_round+0x10(KEYS), K1; \
	VBROADCASTI32X4 keys_round+0x20(KEYS), K2; \
	VBROADCASTI32X4 keys_round+0x30(KEYS), K3; \
	VBROADCASTI32X4 keys_round+0x40(KEYS), K4; \
	VBROADCASTI32X4 keys_round+0x50(KEYS), K5; \
	VBROADCASTI32X4 keys_round+0x60(KEYS), K6; \
	VBROADCASTI32X4 keys_round+0x70(KEYS), K7; \
	VBROADCASTI32X4 keys_round+0x80(KEYS), K8; \
	VBROADCASTI32X4 keys_round+0x90(KEYS), K9; \
	VBROADCASTI32X4 keys_round+0xa0(KEYS), K10; \
	VBROADCASTI32X4 keys_round+0xb0(KEYS), K11; \
	VBROADCASTI32X4 keys_round+0xc0(KEYS), K12; \
	VBROADCASTI32X4 keys_round+0xd0(KEYS), K13; \
	VBROADCASTI32X4 keys_round+0xe0(KEYS), KLAST; \
	VBROADCASTI32X4 turn<>(SB), TURN; \
	VBROADCASTI32X4 four<>(SB), FOUR; \
	MOVQ keys_rounds(KEYS), ROUNDS; \
	MOVQ tag+24(FP), TAG; \
	MOVQ dst+32(FP), DST; \
	MOVQ src+40(FP), SRC; \
	MOVQ n+48(FP), LEFT; \
	VPXORD K0, CTR, MASK; \
	VPADDD first<>(SB), CTR, CTR; \
	VAESENC K1, MASK, MASK; \
	VAESENC K2, MASK, MASK; \
	VAESENC K3, MASK, MASK; \
	VAESENC K4, MASK, MASK; \
	VAESENC K5, MASK, MASK; \
	VAESENC K6, MASK, MASK; \
	VAESENC K7, MASK, MASK; \
	VAESENC K8, MASK, MASK; \
	VAESENC K9, MASK, MASK; \
	CMPQ ROUNDS, $10; \
	JEQ masked; \
	VAESENC K10, MASK, MASK; \
	VAESENC K11, MASK, MASK; \
	VAESENC K12, MASK, MASK; \
	VAESENC K13, MASK, MASK; \
masked: \
	VAESENCLAST KLAST, MASK, MASK; \
	LEAQ keys_power+const_maxLen(KEYS), POWER; \
	SUBQ LEFT, POWER; \
	MOVQ aad+16(FP), TMP; \
	VMOVDQU (TMP), C0X; \
	VPSHUFB TURNX, C0X, C0X; \
	LEAQ (LEFT*8), TMP; \
	VMOVQ TMP, C1X; \
	MOVL $128, TMP; \
	VPINSRQ $1, TMP, C1X, C1X; \
	VINSERTI128 $1, C1X, C0Y, C0Y; \
	VMOVDQU (POWER), H0X; \
	VINSERTI128 $1, (keys_power+const_maxLen+16)(KEYS), H0Y, H0Y; \
	ADDQ $16, POWER; \
	LOW(C0, H0, LO); \
	MIDDLE(C0, H0, MI, T0); \
	VPXORD T0, MI, MI; \
	HIGH(C0, H0, HI)

// END reduces, adds the four places up, and masks the tag (7.1, steps 5 and 6).
#define END \
	VBROADCASTI32X4 polynomial<>(SB), T1; \
	REDUCE(LO, MI, HI, T1, T0);  \
	VEXTRACTI64X4 $1, HI, T0Y;   \
	VPXOR T0Y, HIY, HIY;         \
	VEXTRACTI128 $1, HIY, T0X;   \
	VPXOR T0X, HIX, HIX;         \
	VPSHUFB TURNX, HIX, HIX;     \
	VPXORD MASKX, HIX, HIX;      \
	VMOVDQU HIX, (TAG);          \
	VZEROUPPER

// PASS ciphers 128 octets (GCTR, 6.5) and meanwhile hashes C0 and C1. The text goes into the last round key:
// no exclusive or waits for the key stream.
#define PASS \
	VPXORD K0, CTR, S0;        \
	VPADDD FOUR, CTR, CTR;     \
	VPXORD K0, CTR, S1;        \
	VPADDD FOUR, CTR, CTR;     \
	ROUND(K1);                 \
	ROUND(K2);                 \
	HASH_LOW;                  \
	ROUND(K3);                 \
	ROUND(K4);                 \
	HASH_MIDDLE;               \
	ROUND(K5);                 \
	ROUND(K6);                 \
	HASH_HIGH;                 \
	ROUND(K7);                 \
	ROUND(K8);                 \
	ROUND(K9);                 \
	CMPQ ROUNDS, $10;          \
	JEQ last;                  \
	ROUND(K10);                \
	ROUND(K11);                \
	ROUND(K12);                \
	ROUND(K13);                \
last: \
	VPXORD (SRC), KLAST, T0;   \
	VPXORD 64(SRC), KLAST, T1; \
	VAESENCLAST T0, S0, S0;    \
	VAESENCLAST T1, S1, S1;    \
	VMOVDQU64 S0, (DST);       \
	VMOVDQU64 S1, 64(DST);     \
	ADDQ $128, SRC;            \
	ADDQ $128, DST

// func seal(k *keys, nonce *[12]byte, aad, tag *[16]byte, dst, src *byte, n int)
// GCM-AE (7.1). GHASH is one pass behind: it begins with zeros, times whatever stands before the first power.
TEXT ·seal(SB), NOSPLIT, $0-56
	START
	VPXORD C0, C0, C0
	VPXORD C1, C1, C1
	SUBQ $128, POWER

pass:
	PASS
	VPSHUFB TURN, S0, C0
	VPSHUFB TURN, S1, C1
	SUBQ $128, LEFT
	JNE pass

	HASH_LOW
	HASH_MIDDLE
	HASH_HIGH
	END
	RET

// func open(k *keys, nonce *[12]byte, aad, tag *[16]byte, dst, src *byte, n int)
// GCM-AD (7.2) but for the comparison. Each pass has read its ciphertext before it writes.
TEXT ·open(SB), NOSPLIT, $0-56
	START

pass:
	VMOVDQU64 (SRC), C0
	VMOVDQU64 64(SRC), C1
	VPSHUFB TURN, C0, C0
	VPSHUFB TURN, C1, C1
	PASS
	SUBQ $128, LEFT
	JNE pass

	END
	RET

// func multiply(product, a, b *[16]byte)
// The product in GHASH's field (6.3).
TEXT ·multiply(SB), NOSPLIT, $0-24
	MOVQ product+0(FP), DST
	MOVQ a+8(FP), SRC
	MOVQ b+16(FP), TMP
	VMOVDQU (SRC), C0X
	VMOVDQU (TMP), H0X
	VMOVDQU polynomial<>(SB), T1X
	LOW(C0X, H0X, LOX)
	MIDDLE(C0X, H0X, MIX, T0X)
	VPXOR T0X, MIX, MIX
	HIGH(C0X, H0X, HIX)
	REDUCE(LOX, MIX, HIX, T1X, T0X)
	VMOVDQU HIX, (DST)
	VZEROUPPER
	RET

// func subWord(w uint32) uint32
// AESKEYGENASSIST takes the second word of its source through the S-box.
TEXT ·subWord(SB), NOSPLIT, $0-12
	MOVL w+0(FP), TMP
	VMOVD TMP, T0X
	VPSHUFD $0, T0X, T0X
	VAESKEYGENASSIST $0, T0X, T0X
	VMOVD T0X, TMP
	MOVL TMP, ret+8(FP)
	RET

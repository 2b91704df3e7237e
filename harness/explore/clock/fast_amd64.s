#include "textflag.h"

// What stands in for the kernel's clock_gettime, with its conventions: the clock's number
// in DI, the address of the answer in SI, the result in AX. It is copied to a target, and
// there the constant is overwritten: with the address of a page, or with 0.
//
// The page begins with how often it was read, which counts as so many nanoseconds. From 16
// on is what each clock says: a second and a nanosecond. The kernel is asked where the
// second is 0.

TEXT clockGettime<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ  $0x7061676520697320, AX // pageMark
	TESTQ AX, AX
	JZ    ask
	CMPL  DI, $11                 // clocks - 1
	JA    ask
	MOVL  DI, CX
	SHLQ  $4, CX
	MOVQ  16(AX)(CX*1), R8
	TESTQ R8, R8
	JZ    ask
	MOVQ  24(AX)(CX*1), R9
	MOVQ  $1, DX
	LOCK
	XADDQ DX, (AX)
	ADDQ  DX, R9
	CMPQ  R9, $1000000000
	JB    say
	SUBQ  $1000000000, R9
	INCQ  R8
say:
	MOVQ  R8, (SI)
	MOVQ  R9, 8(SI)
	XORL  AX, AX
	RET
ask:
	MOVL  $228, AX
	SYSCALL
	RET

TEXT gettimeofday<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $96, AX
	SYSCALL
	RET

TEXT seconds<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $201, AX
	SYSCALL
	RET

// func addresses() (clockGettimeAt, gettimeofdayAt, secondsAt unsafe.Pointer)
TEXT ·addresses(SB), NOSPLIT, $0-24
	LEAQ clockGettime<>(SB), AX
	MOVQ AX, clockGettimeAt+0(FP)
	LEAQ gettimeofday<>(SB), AX
	MOVQ AX, gettimeofdayAt+8(FP)
	LEAQ seconds<>(SB), AX
	MOVQ AX, secondsAt+16(FP)
	RET

package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types of the auxiliary vector (getauxval(3)).
const (
	atNull   = 0
	atIgnore = 1
	atVDSO   = 33 // AT_SYSINFO_EHDR
)

// mostWords bounds the walk over a stack that is not what it should be.
const mostWords = 1 << 20

// findFast finds the code with which the kernel lets a process read its clocks without a
// system call (vdso(7)), and the word of the stack that tells the program about it; 0 where
// there is none. sp is the stack pointer right after an execve, before the program has run:
// the count of arguments is there, and behind arguments and environment the auxiliary vector.
func findFast(memory Memory, sp uint64) (at, base uint64, err error) {
	w := words{memory: memory, at: sp}
	arguments := w.next()
	w.at += 8 * (arguments + 1)
	for w.next() != 0 && w.err == nil { // the environment
	}
	for w.err == nil {
		at := w.at
		switch kind, value := w.next(), w.next(); kind {
		case atNull:
			return 0, 0, w.err
		case atVDSO:
			return at, value, w.err
		}
	}
	return 0, 0, fmt.Errorf("read the auxiliary vector: %w", w.err)
}

// hide keeps what findFast has found from the program: C libraries and Go then ask the
// kernel for the time, where a tracer sees it.
func hide(memory Memory, at uint64) error {
	return memory.Write(binary.NativeEndian.AppendUint64(nil, atIgnore), at)
}

// words reads a stack, one machine word after the other.
type words struct {
	memory Memory
	at     uint64
	read   int
	err    error
}

func (w *words) next() uint64 {
	var raw [8]byte
	if w.read++; w.read > mostWords {
		w.err = errors.New("it does not end")
	}
	if w.err == nil {
		w.err = w.memory.Read(raw[:], w.at)
	}
	w.at += 8
	return binary.NativeEndian.Uint64(raw[:])
}

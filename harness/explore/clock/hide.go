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

// HideFast hides the code with which the kernel lets a process read its clocks
// without a system call (vdso(7)). sp is the stack pointer right after an execve,
// before the program has run: the count of arguments is there, and behind arguments
// and environment the auxiliary vector.
func HideFast(memory Memory, sp uint64) error {
	w := words{memory: memory, at: sp}
	arguments := w.next()
	w.at += 8 * (arguments + 1)
	for w.next() != 0 && w.err == nil { // the environment
	}
	for w.err == nil {
		at := w.at
		switch kind, _ := w.next(), w.next(); kind {
		case atNull:
			return w.err
		case atVDSO:
			return errors.Join(w.err, memory.Write(binary.NativeEndian.AppendUint64(nil, atIgnore), at))
		}
	}
	return fmt.Errorf("read the auxiliary vector: %w", w.err)
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

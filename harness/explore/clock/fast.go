package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"time"
)

// Fast is code in a target's memory by which it reads its clocks without a system call, in
// the place of the kernel's (vdso(7)). It says what a page there says, which the tracer
// writes: half of what Go asks the kernel for is the time. Until there is such a page, and
// of each clock that is not the tracer's, it asks the kernel. A nil Fast is a target that
// always does.
type Fast struct {
	memory Memory
	mark   uint64 // where the code has the page's address
	page   uint64 // 0 until it is there
}

// PageSize is that of the page.
const PageSize = 4096

// pageMark is in clockGettime what the page's address is to be written over.
var pageMark = []byte(" si egap")

// TakeFast puts our code in the place of the kernel's, or hides that where it cannot be
// replaced: the target then asks the kernel for the time. sp is the stack pointer right
// after an execve, before the program has run.
func TakeFast(memory Memory, sp uint64) (*Fast, error) {
	at, base, err := findFast(memory, sp)
	if err != nil || at == 0 {
		return nil, err
	}
	if fast := replace(memory, base); fast != nil {
		return fast, nil
	}
	return nil, hide(memory, at)
}

// replace writes what stands in for the code of an ELF image in memory; nil where it does not
// fit, or there is nothing that would.
func replace(memory Memory, base uint64) *Fast {
	left := standIns()
	if len(left) == 0 {
		return nil
	}
	image, err := elf.NewFile(mapped{memory, base})
	if err != nil {
		return nil
	}
	symbols, err := image.DynamicSymbols()
	if err != nil {
		return nil
	}
	fast := &Fast{memory: memory}
	for _, s := range symbols {
		code := left[s.Name]
		if code == nil || s.Size < uint64(len(code)) {
			continue
		}
		delete(left, s.Name)
		address := base + s.Value - image.Progs[0].Vaddr
		if i := bytes.Index(code, pageMark); i >= 0 {
			fast.mark = address + uint64(i)
		}
		if memory.Write(code, address) != nil {
			return nil
		}
	}
	if len(left) > 0 || fast.mark == 0 || fast.point(0) != nil {
		return nil
	}
	return fast
}

// point tells the code where its page is.
func (f *Fast) point(page uint64) error {
	return f.memory.Write(binary.NativeEndian.AppendUint64(nil, page), f.mark)
}

// Use has the code read a page, which is the target's and empty.
func (f *Fast) Use(page uint64) error {
	f.page = page
	return f.point(page)
}

// looks is for how long the code has been looked at since say: a nanosecond each time, so
// that nobody waits for ever for the time to change.
func (f *Fast) looks() time.Duration {
	var raw [8]byte
	if f == nil || f.page == 0 || f.memory.Read(raw[:], f.page) != nil {
		return 0
	}
	return time.Duration(binary.NativeEndian.Uint64(raw[:]))
}

// clocks is how many the page has: those up to CLOCK_TAI.
const clocks = 12

// say writes what each clock says so long after its start. The kernel is to be asked for those
// without one. A target that is gone is told nothing.
func (f *Fast) say(start map[int]time.Duration, elapsed time.Duration) {
	if f == nil || f.page == 0 {
		return
	}
	const head = 16 // the looks, and nothing
	raw := make([]byte, head, head+clocks*16)
	for id := range clocks {
		var now time.Duration
		if began, ours := start[id]; ours {
			now = began + elapsed
		}
		raw = appendTime(raw, now, time.Nanosecond)
	}
	_ = f.memory.Write(raw, f.page)
}

// mapped is a file as it is seen in memory.
type mapped struct {
	memory Memory
	base   uint64
}

func (m mapped) ReadAt(p []byte, offset int64) (int, error) {
	if err := m.memory.Read(p, m.base+uint64(offset)); err != nil {
		return 0, err
	}
	return len(p), nil
}

package trace

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Call is a system call by its number on this architecture.
type Call struct {
	Number uint64
	Args   [6]uint64
}

// Info is where a stopped thread is.
type Info struct {
	Entry, Exit bool
	SP          uint64
	// Call is set at an entry, Result at an exit: -errno where the call failed.
	Call   Call
	Result int64
}

// Look asks where a stopped thread is (ptrace(2), PTRACE_GET_SYSCALL_INFO, Linux
// 5.3), in the same words on every architecture.
func Look(tid int) (Info, error) {
	var raw struct {
		op     uint8
		_      [3]uint8
		arch   uint32
		ip, sp uint64
		words  [8]uint64
	}
	const request = 0x420e
	err := ptrace(request, tid, unsafe.Sizeof(raw), uintptr(unsafe.Pointer(&raw)))
	if err != nil {
		return Info{}, err
	}
	info := Info{SP: raw.sp}
	switch raw.op {
	case 1: // PTRACE_SYSCALL_INFO_ENTRY
		info.Entry = true
		info.Call = Call{raw.words[0], [6]uint64(raw.words[1:7])}
	case 2: // PTRACE_SYSCALL_INFO_EXIT
		info.Exit = true
		info.Result = int64(raw.words[0])
	}
	return info, nil
}

// Registers are those of a stopped thread.
type Registers struct{ unix.PtraceRegs }

// GetRegisters reads them.
func GetRegisters(tid int) (r Registers, err error) {
	vector := r.vector()
	err = ptrace(unix.PTRACE_GETREGSET, tid, general, uintptr(unsafe.Pointer(&vector)))
	return r, err
}

// Set writes them.
func (r *Registers) Set(tid int) error {
	vector := r.vector()
	return ptrace(unix.PTRACE_SETREGSET, tid, general, uintptr(unsafe.Pointer(&vector)))
}

// general is NT_PRSTATUS of elf.h: the general registers.
const general = 1

func (r *Registers) vector() unix.Iovec {
	v := unix.Iovec{Base: (*byte)(unsafe.Pointer(r))}
	v.SetLen(int(unsafe.Sizeof(*r)))
	return v
}

// SetArgument changes one argument of the call that a thread enters or has left.
// User code may count on it when the call returns: put it back at the exit.
func SetArgument(tid, index int, value uint64) error {
	r, err := GetRegisters(tid)
	if err != nil {
		return err
	}
	*r.argument(index) = value
	return r.Set(tid)
}

// SetResult changes what a call returns, at its exit.
func SetResult(tid int, value int64) error {
	r, err := GetRegisters(tid)
	if err != nil {
		return err
	}
	*r.result() = uint64(value)
	return r.Set(tid)
}

// Restore puts the arguments of a call back at its exit.
func Restore(tid int, c Call) error {
	r, err := GetRegisters(tid)
	if err != nil {
		return err
	}
	result := *r.result()
	r.arguments(c)
	*r.result() = result
	return r.Set(tid)
}

// Repeat makes a thread that leaves a call enter that one instead, as if for the first time.
func Repeat(tid int, c Call) error {
	r, err := GetRegisters(tid)
	if err != nil {
		return err
	}
	r.arguments(c)
	r.again(c.Number)
	return r.Set(tid)
}

func (r *Registers) arguments(c Call) {
	for i, value := range c.Args {
		*r.argument(i) = value
	}
}

// Memory is that of one process, from its last execve on.
type Memory struct{ fd int }

// OpenMemory must be called again after an execve. The caller closes it.
func OpenMemory(pid int) (*Memory, error) {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/mem", pid), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open memory of process %d: %w", pid, err)
	}
	return &Memory{fd}, nil
}

// Read fills p.
func (m *Memory) Read(p []byte, address uint64) error {
	n, err := unix.Pread(m.fd, p, int64(address))
	if err == nil && n < len(p) {
		err = unix.EFAULT
	}
	return err
}

// Write stores p, also where the process itself may only read.
func (m *Memory) Write(p []byte, address uint64) error {
	_, err := unix.Pwrite(m.fd, p, int64(address))
	return err
}

// Close lets go of the memory.
func (m *Memory) Close() {
	if m != nil {
		unix.Close(m.fd)
	}
}

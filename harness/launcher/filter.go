package launcher

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data (seccomp(2)).
const (
	offsetNumber  = 0
	offsetArch    = 4
	offsetArgs    = 16
	offsetOptions = offsetArgs + 3*8 // waitid's fourth argument, of which the low half says all
)

// peeks are the options of a waitid that neither blocks nor takes. No rule has
// anything to say of such a call, and a reaper that looks before it takes makes
// two of them for each child.
const peeks = unix.WNOHANG | unix.WNOWAIT

// install puts the filter on the calling thread and returns its listener.
//
// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV must not be set: a thread whose call
// is held would swallow SIGCHLD, and the reaper would never wake.
//
// no_new_privs, which takes the effect from a sudo that a target runs its commands
// by, is set only where the kernel asks for it: who has CAP_SYS_ADMIN in its user
// namespace needs none (seccomp(2)).
func install(noPidfd bool) (listener int, err error) {
	arch, err := auditArch()
	if err != nil {
		return -1, err
	}
	code := program(arch, noPidfd)
	filter := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	listener, errno := listen(&filter)
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, fmt.Errorf("set no_new_privs: %w", err)
		}
		listener, errno = listen(&filter)
	}
	if errno != 0 {
		return -1, fmt.Errorf("install seccomp filter: %w: %s", errno, hint(errno))
	}
	return listener, nil
}

func listen(filter *unix.SockFprog) (listener int, errno unix.Errno) {
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(filter)))
	return int(fd), errno
}

// Try installs the filter in a thread of its own, which ends with it, and says why
// it cannot.
func Try() error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread and its filter end with the goroutine
		listener, err := install(false)
		if err == nil {
			err = unix.Close(listener)
		}
		failed <- err
	}()
	return <-failed
}

// hint says what a refusal means (seccomp(2), ERRORS).
func hint(errno unix.Errno) string {
	switch errno {
	case unix.EBUSY:
		return "another process listens to this process's calls already, such as LXD or Sysbox, " +
			"and the kernel allows one; run reapcheck outside of that container"
	case unix.EPERM, unix.EACCES:
		return "a security profile refuses seccomp(2), of the engine or of the container that " +
			"reapcheck runs in; allow it there"
	}
	return "Linux 5.5 or newer is needed, and gVisor (runsc) has no such listener"
}

func auditArch() (uint32, error) {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64, nil
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64, nil
	}
	return 0, fmt.Errorf("install seccomp filter: no numbers of system calls for %s",
		runtime.GOARCH)
}

// program is the filter: a notification for wait4 and waitid but for peeks, and for a
// handler of SIGCHLD; ENOSYS for pidfd_open if asked for, and everything else as ever. A
// program of another architecture, whose numbers mean other calls, is let alone.
func program(arch uint32, noPidfd bool) []unix.SockFilter {
	code := []unix.SockFilter{
		load(offsetArch),
		jump(arch, 1, 0),
		answer(unix.SECCOMP_RET_ALLOW),
		load(offsetNumber),
	}
	on := func(number, action uint32) {
		code = append(code, jump(number, 0, 1), answer(action))
	}
	on(unix.SYS_WAIT4, unix.SECCOMP_RET_USER_NOTIF)
	code = append(code,
		jump(unix.SYS_WAITID, 0, 5),
		load(offsetOptions),
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: peeks},
		jump(peeks, 0, 1),
		answer(unix.SECCOMP_RET_ALLOW),
		answer(unix.SECCOMP_RET_USER_NOTIF),
		jump(unix.SYS_RT_SIGACTION, 0, 6),
		load(offsetArgs),
		jump(uint32(unix.SIGCHLD), 0, 3),
		load(offsetArgs+8), // the address of the new action, which is on a page other than the first
		jump(0, 1, 0),
		answer(unix.SECCOMP_RET_USER_NOTIF),
		answer(unix.SECCOMP_RET_ALLOW))
	if noPidfd {
		on(unix.SYS_PIDFD_OPEN, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS))
	}
	return append(code, answer(unix.SECCOMP_RET_ALLOW))
}

// jump passes over so many instructions where what was loaded is that, or is not.
func jump(equals uint32, is, isNot uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: equals, Jt: is, Jf: isNot}
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func answer(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}

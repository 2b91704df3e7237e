package syscallhold

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification and response are struct seccomp_notif and seccomp_notif_resp
// (linux/seccomp.h), the same on all 64-bit machines.
type notification struct {
	id     uint64
	thread uint32 // as this process counts; 0 where it cannot be seen from here
	_      uint32
	number int32
	_      uint32
	_      uint64
	args   [6]uint64
}

type response struct {
	id    uint64
	value int64
	error int32 // negative, as inside the kernel
	flags uint32
}

// wakeBeside tells the kernel that each side sleeps while the other is awake, so
// that it need not fetch another CPU. Before Linux 6.6 it cannot be told.
func wakeBeside(listener int) {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// receive takes one notification. It does not block where one waits; ENOENT means that its caller was interrupted meanwhile.
func receive(listener int) (notification, error) {
	var n notification
	return n, ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n))
}

// letGo has the kernel run the call as if nobody had been asked.
func letGo(listener int, id uint64) error {
	r := response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	return ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// refuse makes the call return without running it: 0, or an error.
func refuse(listener int, id uint64, err unix.Errno) error {
	r := response{id: id, error: -int32(err)}
	return ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// ioctl makes a call that does not block: what waits was announced by poll(2), and
// an answer is only handed over. So Go's scheduler need not be told, which would
// cost more than the call where others wait for their turn.
func ioctl(fd int, request uint, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}

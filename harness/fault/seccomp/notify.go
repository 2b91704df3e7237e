package seccomp

import (
	"fmt"
	"os"
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
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS,
		unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// eventsOf returns a file that is readable while a notification waits, and once
// none can come any more. Go's poller watches a file for writing too, and the
// listener would wake it a second time when a notification is received; so an
// epoll(7) that asks for reading alone is put between.
func eventsOf(listener int) (*os.File, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch notifications: %w", err)
	}
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, listener, &unix.EpollEvent{Events: unix.EPOLLIN})
	if err == nil {
		err = unix.SetNonblock(epoll, true) // what os.NewFile takes for a file to be polled
	}
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("watch notifications: %w", err)
	}
	return os.NewFile(uintptr(epoll), "notifications"), nil
}

// poll says whether a notification waits, and whether no process is left that
// could cause one (Linux 5.9).
func poll(listener int) (waits, over bool, err error) {
	fd := unix.PollFd{Fd: int32(listener), Events: unix.POLLIN}
	for {
		var now unix.Timespec // it does not block
		_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fd)), 1,
			uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		switch {
		case errno == unix.EINTR, errno == 0 && fd.Revents&unix.POLLERR != 0:
			// One of Go's own signals came. POLLERR means that it kept the kernel from
			// looking (seccomp_notify_poll): taken for "none waits", it would leave a
			// call unanswered until the next one.
		case errno != 0:
			return false, false, fmt.Errorf("poll for notifications: %w", errno)
		default:
			return fd.Revents&unix.POLLIN != 0, fd.Revents&unix.POLLHUP != 0, nil
		}
	}
}

// receive takes one notification. It does not block where one waits; ENOENT means that its
// caller was interrupted meanwhile.
func receive(listener int) (notification, error) {
	var n notification
	return n, ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n))
}

// letGo has the kernel run the call as if no one had been asked.
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

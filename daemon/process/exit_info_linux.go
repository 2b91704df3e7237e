package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// exitInfo is a pidfd of a child, kept beyond os/exec's own.
type exitInfo struct{ pidfd int }

// keepExitInfo duplicates the pidfd of p, which has not been waited for.
func keepExitInfo(p *os.Process) (info exitInfo, err error) {
	var dupErr error
	err = p.WithHandle(func(handle uintptr) {
		info.pidfd, dupErr = unix.FcntlInt(handle, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = dupErr
	}
	if err != nil {
		return info, fmt.Errorf("keep the pidfd of a child: %w", err)
	}
	return info, nil
}

func (e exitInfo) close() { unix.Close(e.pidfd) }

// status waits until the child has been reaped and says how it ended.
func (e exitInfo) status() (syscall.WaitStatus, error) {
	for {
		events := []unix.PollFd{{Fd: int32(e.pidfd)}} // POLLHUP needs no asking
		_, err := unix.Poll(events, -1)
		if err == nil && events[0].Revents&unix.POLLHUP != 0 {
			return e.read()
		}
		if err != nil && err != unix.EINTR {
			return 0, fmt.Errorf("wait until a child is reaped: %w", err)
		}
	}
}

// read is for a child that has been reaped.
func (e exitInfo) read() (syscall.WaitStatus, error) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	if err := unix.IoctlPidfdInfo(e.pidfd, &info); err != nil {
		return 0, fmt.Errorf("%w (%w)", ErrNoExitInfo, err)
	}
	if info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		return 0, ErrNoExitInfo
	}
	return syscall.WaitStatus(uint32(info.Exit_code)), nil
}

// tryExitInfo has a child reaped behind its pidfd's back and asks for its status. It
// does not wait for POLLHUP, which old kernels do not give.
func tryExitInfo() error {
	const code = 7
	cmd := exec.Command("/bin/sh", "-c", fmt.Sprint("exit ", code))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("try the kernel: %w", err)
	}
	defer cmd.Process.Release()
	info, err := keepExitInfo(cmd.Process)
	if err == nil {
		defer info.close()
	}
	if _, waitErr := syscall.Wait4(cmd.Process.Pid, nil, 0, nil); waitErr != nil {
		return fmt.Errorf("try the kernel: %w", waitErr)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrNoExitInfo, err)
	}
	status, err := info.read()
	if err == nil && ExitCode(status) != code {
		err = fmt.Errorf("%w: it says %d of a child that ended with %d", ErrNoExitInfo,
			ExitCode(status), code)
	}
	return err
}

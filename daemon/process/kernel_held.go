package process

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync/atomic"
	"syscall"
)

// KernelHeld lets a reaper take every child, and asks the kernel afterwards: a pidfd
// knows how its process ended also after somebody has reaped it.
//
// Source: Linux 6.15, PIDFD_GET_INFO with PIDFD_INFO_EXIT (include/uapi/linux/pidfd.h,
// commit 7477d7dce48a "pidfs: allow to retrieve exit information", C. Brauner, March
// 2025), read 2026-11-28. Its contract is kept: what it knows is asked for after
// POLLHUP, since ECHILD may come before the kernel has written it down.
//
// What it needs: that kernel, and a pidfd for each running child. No daemon is known
// to do so yet.
type KernelHeld struct {
	reaper *wait4Reaper
	log    *slog.Logger

	reaped, echildSeen, echildRecovered atomic.Int64
}

// ErrNoExitInfo means that this kernel does not keep how a reaped child ended.
var ErrNoExitInfo = errors.New("the kernel does not tell how a reaped child ended: " +
	"PIDFD_GET_INFO with PIDFD_INFO_EXIT needs Linux 6.15, and pidfds that are allowed")

// NewKernelHeld tries the kernel with a child of its own, and then starts the reaper.
// The error wraps ErrNoExitInfo where the kernel is too old.
func NewKernelHeld(log *slog.Logger) (*KernelHeld, error) {
	if err := tryExitInfo(); err != nil {
		return nil, fmt.Errorf("start strategy kernel-held: %w", err)
	}
	s := &KernelHeld{log: log}
	s.reaper = startWait4Reaper(s.took)
	return s, nil
}

func (s *KernelHeld) took(pid int, status syscall.WaitStatus) {
	s.reaped.Add(1)
	logReaped(s.log, "reaped zombie process", pid, status)
}

// Start starts cmd.
func (s *KernelHeld) Start(cmd *exec.Cmd) (Child, error) {
	return startWaited(cmd, nothing, s.wait)
}

func (s *KernelHeld) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	info, err := keepExitInfo(cmd.Process)
	if err != nil {
		cmd.Process.Release()
		return 0, fmt.Errorf("%w: %w", ErrStatusUnknown, err)
	}
	defer info.close()
	status, err := waitCmd(cmd, pid)
	if err != syscall.ECHILD {
		return status, err
	}
	s.echildSeen.Add(1)
	if status, err = info.status(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStatusUnknown, err)
	}
	s.echildRecovered.Add(1)
	return status, nil
}

// Counts says what has been seen; this reaper cannot tell commands from orphans.
func (s *KernelHeld) Counts() Counts {
	return Counts{
		ReapedUnmanaged: int(s.reaped.Load()),
		EchildSeen:      int(s.echildSeen.Load()),
		EchildRecovered: int(s.echildRecovered.Load()),
	}
}

// Close stops the reaper.
func (s *KernelHeld) Close() { s.reaper.close() }

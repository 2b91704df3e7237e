//go:build !linux

package process

import (
	"os"
	"syscall"
)

// exitInfo is for Linux only.
type exitInfo struct{}

func keepExitInfo(*os.Process) (exitInfo, error)     { return exitInfo{}, ErrNoExitInfo }
func (exitInfo) close()                              {}
func (exitInfo) status() (syscall.WaitStatus, error) { return 0, ErrNoExitInfo }
func tryExitInfo() error                             { return ErrNoExitInfo }

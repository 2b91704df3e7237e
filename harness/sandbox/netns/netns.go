//go:build linux

// Package netns reaches into the network of a sandbox: Open holds on to that of a
// process, New makes one, and Dial connects inside.
package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Network is a network namespace, which lives on until Close and the end of all that
// live in it.
type Network struct{ file *os.File }

// New moves the calling thread, and what it will fork, into a new network with nothing
// but loopback. The goroutine must be locked to it.
func New() (*Network, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make network: %w", err)
	}
	if err := raiseLoopback(); err != nil {
		return nil, fmt.Errorf("raise loopback of a new network: %w", err)
	}
	file, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("hold on to a new network: %w", err)
	}
	return &Network{file}, nil
}

// Open holds on to the network of a process of this machine. It fails for who may not
// enter there: setns(2) asks for CAP_SYS_ADMIN.
func Open(pid int) (*Network, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, fmt.Errorf("open network of process %d: %w", pid, err)
	}
	n := &Network{file}
	if err := n.Inside(func() error { return nil }); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return n, nil
}

func raiseLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}

// Dial connects inside the network. The address must be numeric: net.Dialer then stays
// on the thread that has entered.
func (n *Network) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.Inside(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Inside calls do on a thread that has entered the network, and that ends with it. A
// socket, and a process, belongs to the network in which its thread made it
// (network_namespaces(7)).
func (n *Network) Inside(do func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if err = n.enter(); err == nil {
			err = do()
		}
	}()
	<-done
	return err
}

// enter moves the calling thread. It is safe while Close is called.
func (n *Network) enter() error {
	raw, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	var errSet error
	if err := raw.Control(func(fd uintptr) {
		errSet = unix.Setns(int(fd),
			unix.CLONE_NEWNET)
	}); err != nil {
		return err
	}
	if errSet != nil {
		return fmt.Errorf("enter network of sandbox: %w", errSet)
	}
	return nil
}

// Close lets go of the network; it ends with the last process in it. The nil Network
// has nothing to let go.
func (n *Network) Close() {
	if n != nil {
		n.file.Close()
	}
}

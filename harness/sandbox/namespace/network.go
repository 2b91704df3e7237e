package namespace

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// privateNet is a network namespace with nothing but loopback.
type privateNet struct{ file *os.File }

// newPrivateNet moves the calling thread, and what it will fork, into a new
// network. The goroutine must be locked to it.
func newPrivateNet() (*privateNet, error) {
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
	return &privateNet{file}, nil
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

// dial connects inside the network. A socket belongs to the network in which
// its thread made it (network_namespaces(7)), so a thread of its own enters.
// The address must be numeric: net.Dialer then stays on that thread.
func (p *privateNet) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if err = p.enter(); err == nil {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}()
	<-done
	return conn, err
}

// enter moves the calling thread. It is safe while close is called.
func (p *privateNet) enter() error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var errSet error
	if err := raw.Control(func(fd uintptr) { errSet = unix.Setns(int(fd), unix.CLONE_NEWNET) }); err != nil {
		return err
	}
	if errSet != nil {
		return fmt.Errorf("enter network of sandbox: %w", errSet)
	}
	return nil
}

// close lets go of the network; it ends with the last process in it.
func (p *privateNet) close() { p.file.Close() }

package sandbox

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// write sets a kernel setting of the namespace. A shell stays there until leave.
func (n *pidNamespace) write(path, value string) (err error) {
	if n == nil {
		return os.ErrProcessDone
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shell == nil {
		if n.shell, err = openInsider(n); err != nil {
			return err
		}
	}
	return n.shell.write(path, value)
}

func openInsider(namespace *pidNamespace) (*insider, error) {
	const script = `while read path value; do echo $value >"$path" && echo done || exit; done 2>&1`
	shell := exec.Command("/bin/sh", "-c", script)
	shell.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // Ctrl-C is for us, and it still has to lift a limit
	stdin, errIn := shell.StdinPipe()
	stdout, errOut := shell.StdoutPipe()
	if err := errors.Join(errIn, errOut, startInside(shell, namespace)); err != nil {
		return nil, err
	}
	i := &insider{shell, stdin, stdout.(*os.File), bufio.NewReader(stdout), insiderLimit, make(chan struct{})}
	go func() {
		defer close(i.ended)
		_, _ = shell.Process.Wait() // at once: PID 1's end waits for that of the shell
	}()
	return i, nil
}

// startInside forks from a thread whose children belong to a PID namespace. In
// one whose PID 1 has ended the kernel refuses (pid_namespaces(7)).
func startInside(cmd *exec.Cmd, namespace *pidNamespace) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		err := namespace.enter()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	return <-started
}

// enter makes further children of the calling thread members.
func (n *pidNamespace) enter() error {
	raw, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	controlled := raw.Control(func(fd uintptr) { err = unix.Setns(int(fd), unix.CLONE_NEWPID) })
	return errors.Join(controlled, err)
}

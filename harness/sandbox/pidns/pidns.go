// Package pidns looks into a PID namespace from outside, and writes kernel settings
// of it.
package pidns

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
)

// Namespace is the PID namespace of one sandbox, and never that of a later one. The
// number of a PID 1 is given to another process once it has been reaped; a namespace
// keeps its number for as long as a file of it is open.
type Namespace struct {
	// AnswerLimit bounds the wait for the shell that writes; zero means 10 s.
	AnswerLimit time.Duration

	file *os.File

	mu    sync.Mutex
	shell *insider // nil unless something was written
}

// Open opens the namespace of a process. Call it while pid cannot be another's.
func Open(pid int) (*Namespace, error) {
	file, err := os.Open(pidNamespacePath(pid))
	if err != nil {
		return nil, err
	}
	return &Namespace{file: file}, nil
}

func pidNamespacePath(pid int) string { return fmt.Sprintf("/proc/%d/ns/pid", pid) }

// Has says whether a process is in the namespace. A nil or closed one has none.
func (n *Namespace) Has(pid int) bool {
	if n == nil {
		return false
	}
	its, errIts := os.Stat(pidNamespacePath(pid))
	own, errOwn := n.file.Stat()
	return errIts == nil && errOwn == nil && os.SameFile(its, own)
}

// Close ends the shell that writes there. A closed namespace has no processes.
func (n *Namespace) Close() {
	if n != nil {
		n.Leave()
		n.file.Close()
	}
}

// Tasks are the numbers that the processes and threads of a target's sandbox
// have there.
func Tasks(namespace *Namespace, target int) (map[int]bool, error) {
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/proc/[0-9]*/task/[0-9]*", target))
	if err == nil && (len(found) == 0 || !namespace.Has(target)) {
		err = fmt.Errorf("process %d has ended, or its /proc cannot be read", target)
	}
	used := make(map[int]bool, len(found))
	for _, path := range found {
		id, _ := strconv.Atoi(filepath.Base(path))
		used[id] = true
	}
	return used, err
}

// SetNext names the PID before, as the kernel wants it (proc(5), ns_last_pid).
func (n *Namespace) SetNext(proc string, pid int) error {
	if err := n.Write(proc+"/sys/kernel/ns_last_pid", strconv.Itoa(pid-1)); err != nil {
		return fmt.Errorf("set next process ID to %d: %w", pid, err)
	}
	return nil
}

// Privileged asks for the capabilities to make namespaces and to raise
// a network's loopback. Root of a container lacks one or both as a rule.
func Privileged() bool { return Capable(unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN) }

// Capable says whether this process has all of these capabilities(7), of the first 32.
func Capable(all ...int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // 32 capabilities each
	if unix.Capget(&header, &sets[0]) != nil {
		return false
	}
	for _, capability := range all {
		if sets[0].Effective&(1<<capability) == 0 {
			return false
		}
	}
	return true
}

// insider is a shell in a sandbox's PID namespace that writes kernel settings of
// it: the kernel goes by who writes, whatever /proc the file is in. It is a child
// of ours and none of the target's, and starts nothing, so that it does not use up
// a number which it has just chosen.
type insider struct {
	shell  *exec.Cmd
	stdin  io.WriteCloser
	stdout *os.File
	answer *bufio.Reader
	ended  chan struct{} // closed when the shell has been reaped
}

// insiderLimit is how long a shell may take that does what takes 20 us.
const insiderLimit = await.Broken

func (i *insider) write(path, value string, limit time.Duration) error {
	if _, err := fmt.Fprintln(i.stdin, path, value); err != nil {
		return fmt.Errorf("write setting: %w", err)
	}
	_ = i.stdout.SetReadDeadline(time.Now().Add(limit))
	said, err := i.answer.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("write setting %s: answer of the shell expected within %v, last saw %q",
			value, limit, said)
	}
	if said != "done\n" {
		return fmt.Errorf("write setting %s: %q (%v)", value, said, err)
	}
	return nil
}

// close ends the shell, which the end of the sandbox does too. It may be stopped.
func (i *insider) close() {
	_ = i.shell.Process.Kill()
	<-i.ended
	i.stdin.Close()
	i.stdout.Close()
}

// Entered says whether the shell is there.
func (n *Namespace) Entered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shell != nil
}

// Leave ends the shell.
func (n *Namespace) Leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shell != nil {
		n.shell.close()
		n.shell = nil
	}
}

// Write sets a kernel setting of the namespace. A shell stays there until leave.
func (n *Namespace) Write(path, value string) (err error) {
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
	return n.shell.write(path, value, cmp.Or(n.AnswerLimit, insiderLimit))
}

func openInsider(namespace *Namespace) (*insider, error) {
	const script = `while read path value; do echo $value >"$path" && echo done || exit; done 2>&1`
	shell := exec.Command("/bin/sh", "-c", script)
	// Ctrl-C is for us, and it still has to lift a limit
	shell.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	stdin, errIn := shell.StdinPipe()
	stdout, errOut := shell.StdoutPipe()
	if err := errors.Join(errIn, errOut, startInside(shell, namespace)); err != nil {
		return nil, err
	}
	i := &insider{shell, stdin, stdout.(*os.File), bufio.NewReader(stdout), make(chan struct{})}
	go func() {
		defer close(i.ended)
		_, _ = shell.Process.Wait() // at once: PID 1's end waits for that of the shell
	}()
	return i, nil
}

// startInside forks from a thread whose children belong to a PID namespace. In
// one whose PID 1 has ended the kernel refuses (pid_namespaces(7)).
func startInside(cmd *exec.Cmd, namespace *Namespace) error {
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
func (n *Namespace) enter() error {
	raw, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	controlled := raw.Control(func(fd uintptr) { err = unix.Setns(int(fd), unix.CLONE_NEWPID) })
	return errors.Join(controlled, err)
}

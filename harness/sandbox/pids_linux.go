package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox/stage"
)

var (
	_ PIDSetter  = (*namespaced)(nil)
	_ PIDLimiter = (*namespaced)(nil)
	_ PIDSetter  = (*container)(nil)
	_ PIDLimiter = (*container)(nil)
)

// SetNextPID writes to the sandbox's own /proc: this machine's may be read-only.
func (s *namespaced) SetNextPID(ctx context.Context, pid int) error {
	return setNextPID(ctx, s.pids, fmt.Sprintf("/proc/%d/root/proc", s.PID()), pid)
}

// LimitPIDs lowers the highest process ID. It needs no control group, which
// only root may make.
func (s *namespaced) LimitPIDs(ctx context.Context, spare int) error {
	if kernel := kernelName(); !hasPIDMaxPerNamespace(kernel) {
		return fmt.Errorf("limit processes: %s has one pid_max for the whole machine, which is left alone; Linux 6.14 is needed", kernel)
	}
	// From 301 on the next number is never one below 300 (kernel/pid.c,
	// RESERVED_PIDS), so the numbers there are out of the question.
	err := s.SetNextPID(ctx, reservedPIDs+1)
	if err == nil && s.pidMax == nil {
		s.pidMax, err = openPIDMax(s.pids, s.PID())
	}
	var used map[int]bool
	if err == nil {
		used, err = tasks(s.pids, s.PID())
	}
	if err == nil {
		err = s.pidMax.set(pidMaxFor(used, spare))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("limit processes of %s: %w", s.name, err), s.FreePIDs(ctx))
	}
	return nil
}

// reservedPIDs is where numbers begin again once they have come to pid_max.
const reservedPIDs = 300

// pidMaxFor is the pid_max below which just spare numbers are free.
func pidMaxFor(used map[int]bool, spare int) int {
	limit := reservedPIDs
	for ; spare > 0; limit++ {
		if !used[limit] {
			spare--
		}
	}
	return limit
}

// FreePIDs goes back to what the machine has.
func (s *namespaced) FreePIDs(context.Context) error {
	if s.pidMax == nil {
		return nil
	}
	defer func() {
		s.pidMax.close()
		s.pidMax = nil
	}()
	machine, err := machinePIDMax()
	if err == nil {
		err = s.pidMax.set(machine)
	}
	if err != nil {
		return fmt.Errorf("lift limit of processes of %s: %w", s.name, err)
	}
	return nil
}

func machinePIDMax() (int, error) {
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// pidMax is a shell in the sandbox's PID namespace that writes what it is told
// to pid_max. It is there before the limit is: under it no process could be
// added that lifts it.
type pidMax struct {
	shell  *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	answer *bufio.Reader
	limit  time.Duration // of the wait for an answer
	ended  chan struct{} // closed when the shell has been reaped
}

// openPIDMax starts the shell: a child of ours and none of the target's.
func openPIDMax(namespace *pidNamespace, target int) (*pidMax, error) {
	const script = `while read limit; do echo $limit >"$0" && echo done || exit; done 2>&1`
	shell := exec.Command("/bin/sh", "-c", script, fmt.Sprintf("/proc/%d/root/proc/sys/kernel/pid_max", target))
	stdin, errIn := shell.StdinPipe()
	stdout, errOut := shell.StdoutPipe()
	if err := errors.Join(errIn, errOut, startInside(shell, namespace)); err != nil {
		return nil, err
	}
	p := &pidMax{shell, stdin, stdout, bufio.NewReader(stdout), stageLimit, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_, _ = shell.Process.Wait() // at once: PID 1's end waits for that of the shell
	}()
	return p, nil
}

func (p *pidMax) set(limit int) error {
	if _, err := fmt.Fprintln(p.stdin, limit); err != nil {
		return fmt.Errorf("write setting: %w", err)
	}
	_ = p.stdout.(*os.File).SetReadDeadline(time.Now().Add(p.limit)) // exec.Cmd.StdoutPipe's
	said, err := p.answer.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("write setting %d: answer of the shell expected within %v, last saw %q", limit, p.limit, said)
	}
	if said != "done\n" {
		return fmt.Errorf("write setting %d: %q (%v)", limit, said, err)
	}
	return nil
}

// close ends the shell, which the end of the sandbox does too. It may be stopped.
func (p *pidMax) close() {
	_ = p.shell.Process.Kill()
	<-p.ended
	p.stdin.Close()
	p.stdout.Close()
}

// tasks are the numbers that the processes and threads of a target's sandbox
// have there.
func tasks(namespace *pidNamespace, target int) (map[int]bool, error) {
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/proc/[0-9]*/task/[0-9]*", target))
	if err == nil && (len(found) == 0 || !namespace.has(target)) {
		err = fmt.Errorf("process %d has ended, or its /proc cannot be read", target)
	}
	used := make(map[int]bool, len(found))
	for _, path := range found {
		id, _ := strconv.Atoi(filepath.Base(path))
		used[id] = true
	}
	return used, err
}

// SetNextPID needs a local engine and this process to be root; the container
// needs no privilege.
func (c *container) SetNextPID(ctx context.Context, pid int) error {
	if c.pids == nil || !mayMakeNamespaces() {
		return fmt.Errorf("set next process ID of %s: it takes root, on the engine's machine", c.name)
	}
	return setNextPID(ctx, c.pids, "/proc", pid)
}

// setNextPID names the PID before, as the kernel wants it (proc(5),
// ns_last_pid).
func setNextPID(ctx context.Context, namespace *pidNamespace, proc string, pid int) error {
	if err := writeInside(ctx, namespace, proc+"/sys/kernel/ns_last_pid", strconv.Itoa(pid-1)); err != nil {
		return fmt.Errorf("set next process ID to %d: %w", pid, err)
	}
	return nil
}

// writeInside lets a process of a sandbox's PID namespace write to a file:
// the kernel goes by who writes, whatever /proc the file is in. The writer is
// a child of ours and none of the target's.
func writeInside(ctx context.Context, namespace *pidNamespace, path, value string) error {
	writer := exec.CommandContext(ctx, "/proc/self/exe")
	writer.Args = stage.Write(path, value)
	err := runStage(writer, func() error { return startInside(writer, namespace) })
	if writer.Process == nil {
		return err
	}
	if errWait := writer.Wait(); err == nil {
		err = errWait
	}
	return err
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

// hasPIDMaxPerNamespace reads kernelName's text.
func hasPIDMaxPerNamespace(kernel string) bool {
	var major, minor int
	_, err := fmt.Sscanf(kernel, "Linux %d.%d", &major, &minor)
	return err == nil && (major > 6 || major == 6 && minor >= 14)
}

// LimitPIDs sets the limit of the container's control group, as
// `docker run --pids-limit` does (cgroups(7), pids.max).
func (c *container) LimitPIDs(ctx context.Context, spare int) error {
	used, err := tasks(c.pids, c.pid)
	if err == nil {
		err = c.setPIDsLimit(ctx, len(used)+spare)
	}
	if err != nil {
		_ = c.FreePIDs(ctx) // the engine may have set it, and answered too late
		return fmt.Errorf("limit processes of %s: %w", c.name, err)
	}
	return nil
}

// FreePIDs lifts it also when ctx is cancelled.
func (c *container) FreePIDs(ctx context.Context) error {
	ctx, cancel := cleanupContext(ctx)
	defer cancel()
	const unlimited = -1
	if err := c.setPIDsLimit(ctx, unlimited); err != nil {
		return fmt.Errorf("lift limit of processes of %s: %w", c.name, err)
	}
	return nil
}

func (c *container) setPIDsLimit(ctx context.Context, limit int) error {
	most := int64(limit)
	_, err := c.engine.ContainerUpdate(ctx, c.id, client.ContainerUpdateOptions{Resources: &engine.Resources{PidsLimit: &most}})
	return err
}

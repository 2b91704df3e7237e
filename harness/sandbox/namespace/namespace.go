// Package namespace is the runtime that makes sandboxes of Linux namespaces alone: it
// needs no engine, no image and no root.
//
// New is the front door, and BecomeRoot comes before it for an ordinary user. Try says
// what this machine forbids. A sandbox's files are this machine's.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/cgroup"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// Runtime is the runtime that gives each sandbox namespaces of its own: PIDs,
// mounts (for its /proc) and a network with nothing but loopback, so that every
// target may listen on the same port and no one else reaches it. The files are
// this machine's, and the target may write to them as far as its user may.
type Runtime struct {
	stage string // the program that becomes each target
	// temporary is where the targets and their commands leave their files, which go
	// with the run.
	temporary string
	// life is held for reading by each Start, so that Close finds all that
	// was started.
	life    sync.RWMutex
	closed  bool
	closing chan struct{}
	alive   sync.WaitGroup
	crowded bool
}

// New returns the namespace runtime. It does nothing yet; Prepare does.
// The process must be root or have called BecomeRoot. The program that becomes each
// target imports package stage: this one if it is empty, and better a small one,
// since at each start it has to come up first.
func New(program string) *Runtime {
	heedSignals()
	return &Runtime{stage: program, closing: make(chan struct{})}
}

// Name implements sandbox.Runtime.
func (n *Runtime) Name() string { return "namespace" }

// Traits are the runtime's. A namespace is up in milliseconds, if it is alone. A
// share of the CPU takes a control group, which as a rule root alone may make.
var Traits = sandbox.Traits{StartsAtOnce: 1}

// Traits implements sandbox.Runtime.
func (n *Runtime) Traits() sandbox.Traits {
	t := Traits
	t.Crowded = n.crowded
	return t
}

// Prepare tries what a sandbox needs.
func (n *Runtime) Prepare(ctx context.Context, progress io.Writer) error {
	if err := tryStage(n.stage); err != nil {
		if machine := Try(); machine != nil {
			return machine
		}
		return sandbox.Unavailable("execute "+n.stage+" as PID 1", err,
			"it must be the reapcheck-launcher of this version, which make build makes")
	}
	if !pidns.Privileged() {
		return sandbox.Unavailable("make namespaces", errors.New("this process is root of nothing"),
			"call BecomeRoot first")
	}
	var err error
	if n.crowded, err = room(cgroup.Processes(os.Getpid())); err != nil {
		return err
	}
	if n.temporary, err = owner.MakeFolder("tmp"); err == nil {
		err = os.Chmod(n.temporary, 0o777|os.ModeSticky) // as /tmp: a target may change its user
	}
	if err != nil {
		return sandbox.Unavailable("make a temporary folder", err,
			"set TMPDIR to a folder that you may write to")
	}
	fmt.Fprintf(progress, "namespace: %s on %s, with this machine's own files\n", Whoami(),
		probe.Kernel())
	return nil
}

// Describe says who makes the sandboxes, and on which kernel.
func (n *Runtime) Describe() map[string]string {
	return map[string]string{"runtime": n.Name(), "kernel": probe.Kernel(), "user": Whoami()}
}

// Start executes the target as PID 1 and waits until it is ready.
func (n *Runtime) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	n.life.RLock()
	defer n.life.RUnlock()
	if n.closed {
		return nil, fmt.Errorf("start sandbox %s: the namespace runtime is closed", spec.Name)
	}
	sb, err := n.launch(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	return sb, nil
}

// launch leaves nothing running when it fails.
func (n *Runtime) launch(ctx context.Context, spec sandbox.Spec) (*namespaced, error) {
	sb, err := newNamespaced(spec, n.stage, n.temporary)
	if err != nil {
		return nil, err
	}
	if err := sb.start(ctx, &n.alive, n.closing); err != nil {
		return nil, err
	}
	err = sandbox.AwaitTarget(ctx, sb, spec)
	if err == nil {
		err = sharesSocket(sb, spec)
	}
	if err != nil {
		return nil, errors.Join(err, sb.Stop(ctx))
	}
	return sb, nil
}

// sharesSocket refuses a target whose Unix socket nobody has named. It is a file of this
// machine's, so each sandbox would take it from the others, and be asked for what was meant
// for them.
func sharesSocket(sb *namespaced, spec sandbox.Spec) error {
	if spec.Port != 0 || spec.Socket != "" || spec.Alone {
		return nil
	}
	all, err := probe.Listening(sb.PID())
	if err != nil {
		return nil // it has ended, which is its own affair
	}
	for _, at := range all {
		if at.Socket != "" {
			return fmt.Errorf("%w: it listens at the socket %s, which all sandboxes of the "+
				"runtime namespace share unless it is named: --socket %s",
				sandbox.ErrAsking, at.Socket, at.Socket)
		}
	}
	return nil
}

// Close waits for a Start that is under way and ends every sandbox.
func (n *Runtime) Close(ctx context.Context) error {
	ctx, cancel := sandbox.CloseContext(ctx)
	defer cancel()
	n.life.Lock()
	defer n.life.Unlock()
	if !n.closed {
		n.closed = true
		close(n.closing)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.alive.Wait()
	}()
	select {
	case <-ended:
		return os.RemoveAll(n.temporary)
	case <-ctx.Done():
		return fmt.Errorf(
			"close namespaces: end of every sandbox expected after SIGKILL, one still runs: %w",
			ctx.Err())
	}
}

// A storm has 256 commands in flight, and each of them two processes. With one experiment of
// each lane at a time a quick run has had up to 1,350 processes and threads, the harness's own
// among them, and with as many as a fast machine runs up to 2,400.
const (
	leastProcesses  = 1500
	plentyProcesses = 3000
)

// room says whether the control group of a run makes it crowded, or has no room for it.
func room(left int, group string, limited bool) (crowded bool, err error) {
	if !limited || left >= plentyProcesses {
		return false, nil
	}
	if left < leastProcesses {
		err = sandbox.Unavailable("start processes",
			fmt.Errorf("%s has room for %d more, and a run has up to %d",
				group, left, leastProcesses),
			"raise its pids.max: docker run --pids-limit=-1, podman run --pids-limit=-1, "+
				"TasksMax=infinity of a systemd unit")
	}
	return true, err
}

// Diagnose says what this machine has for sandboxes of namespaces.
func Diagnose() []sandbox.Check {
	return []sandbox.Check{
		sandbox.VerdictOn("namespaces", "can be made by "+Whoami(), Try()),
		checkRoom(),
		checkPIDLimit(probe.Kernel()),
	}
}

func checkRoom() sandbox.Check {
	crowded, err := room(cgroup.Processes(os.Getpid()))
	detail := "for all experiments at a time"
	if crowded {
		detail = "for few experiments at a time"
	}
	return sandbox.VerdictOn("room for processes", detail, err)
}

// checkPIDLimit says whether a namespace's processes can be limited.
func checkPIDLimit(kernel string) sandbox.Check {
	if hasPIDMaxPerNamespace(kernel) {
		return sandbox.Check{
			Name:   "process limit",
			OK:     true,
			Detail: kernel + " has one for each PID namespace",
		}
	}
	return sandbox.Check{
		Name: "process limit",
		Detail: kernel +
			" has none for a PID namespace: how a target copes without processes to spare stays " +
			"unknown there",
		Advice: "run Linux 6.14 or newer, or in docker as root",
	}
}

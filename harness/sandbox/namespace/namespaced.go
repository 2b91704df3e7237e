package namespace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
	"github.com/reapcheck/reapcheck/harness/sandbox/netns"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// namespaced is one sandbox of the namespace runtime.
type namespaced struct {
	sandbox.Served

	name, url string
	socket    string // at which the target listens; empty for none
	cmd       *exec.Cmd
	input     *os.File // holds PID 1's standard input open
	log       *sandbox.LogTail
	net       *netns.Network // nil until PID 1 is started
	pids      *pidns.Namespace
	frozen    []int  // pidfds of the processes that Freeze has stopped
	cpu       string // the control group by which its CPU is limited, while it is
	done      chan struct{}
	ended     string // written before done is closed
}

var (
	_ sandbox.Sandbox    = (*namespaced)(nil)
	_ sandbox.Dialer     = (*namespaced)(nil)
	_ sandbox.Freezer    = (*namespaced)(nil)
	_ sandbox.CPULimiter = (*namespaced)(nil)
	_ sandbox.PIDSetter  = (*namespaced)(nil)
	_ sandbox.PIDLimiter = (*namespaced)(nil)
	_ sandbox.Networked  = (*namespaced)(nil)
)

func (s *namespaced) Name() string          { return s.name }
func (s *namespaced) URL() string           { return s.url }
func (s *namespaced) Socket() string        { return s.socket }
func (s *namespaced) PID() int              { return s.cmd.Process.Pid }
func (s *namespaced) Log() []byte           { return s.log.Bytes() }
func (s *namespaced) Done() <-chan struct{} { return s.done }

func (s *namespaced) Ended() string {
	select {
	case <-s.done:
		return s.ended
	default:
		return ""
	}
}

func newNamespaced(spec sandbox.Spec, program, temporary string) (*namespaced, error) {
	if spec.Image != "" {
		return nil, sandbox.Unavailable("run image "+spec.Image,
			errors.New("an image needs an engine"), "use the docker runtime, or give a binary")
	}
	binary, err := filepath.Abs(spec.Binary)
	if err != nil || spec.Binary == "" {
		return nil, fmt.Errorf("find binary %q: %w", spec.Binary, errors.Join(err, os.ErrNotExist))
	}
	if err := spec.CheckPort(); err != nil {
		return nil, err
	}
	s := &namespaced{
		name:   spec.Name,
		url:    spec.Loopback(),
		socket: spec.Socket,
		log:    &sandbox.LogTail{Limit: sandbox.LogLimit},
		done:   make(chan struct{}),
	}
	command := append([]string{binary}, spec.Args...)
	command = spec.Front.Argv(spec.Front.Folder, command)
	own := stage.Own{Socket: spec.Socket, Folders: sandbox.TempFolders, Temp: spec.Temp}
	if spec.Temp > 0 {
		temporary = sandbox.TempFolders[0]
	}
	s.cmd = stageCommand(program, own.Become(command...))
	s.cmd.SysProcAttr.Credential = withOwnGroup()
	s.cmd.Env = environment(spec.Env, temporary)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	return s, nil
}

// environment is what an engine gives to a container, a folder of the run for
// temporary files, and spec's own. The harness's is not handed on: a target runs
// commands, and they could read it.
func environment(own map[string]string, temporary string) []string {
	env := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/",
		"TMPDIR": temporary,
	}
	maps.Copy(env, own)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// start returns when PID 1 is the target. alive counts the sandbox until its
// end, and closing ends it.
func (s *namespaced) start(ctx context.Context, alive *sync.WaitGroup,
	closing <-chan struct{}) error {
	input, hold, err := sandbox.OwnInputPipe()
	if err != nil {
		return err
	}
	defer input.Close()
	s.cmd.Stdin, s.input = input, hold
	err = runStage(s.cmd, func() error {
		started := make(chan error)
		go s.live(started, closing)
		err := <-started
		if err == nil {
			alive.Go(s.wait)
		}
		return err
	})
	switch {
	case err != nil && s.cmd.Process != nil:
		return errors.Join(stageProblem(err), s.Stop(ctx))
	case err != nil:
		hold.Close()
	}
	return stageProblem(err)
}

// live is the sandbox's life on a thread of its own. The kernel kills PID 1
// when that thread ends (prctl(2), PR_SET_PDEATHSIG: the thread, not the
// process), so it stays for as long as PID 1 does.
func (s *namespaced) live(started chan<- error, closing <-chan struct{}) {
	runtime.LockOSThread() // for ever: the thread ends with the goroutine
	var err error
	if s.net, err = netns.New(); err == nil {
		defer s.net.Close()
		err = s.noteNamespace(s.cmd.Start())
		defer s.pids.Close()
	}
	started <- err
	if err != nil {
		return
	}
	select {
	case <-closing:
		_ = s.cmd.Process.Kill()
		<-s.done
	case <-s.done:
	}
}

// noteNamespace is for a PID 1 for which no one waits yet, so that its number is
// its own. It leaves none running on error.
func (s *namespaced) noteNamespace(err error) error {
	if err != nil {
		return err
	}
	if s.pids, err = pidns.Open(s.PID()); err != nil {
		_ = s.cmd.Process.Kill()
		s.wait()
	}
	return err
}

// wait sees PID 1 end. The kernel lets it end when all others in its PID
// namespace have been killed (pid_namespaces(7)).
func (s *namespaced) wait() {
	_ = s.cmd.Wait() // the state says more
	s.input.Close()
	s.ended = sandbox.ExitWords(int64(sandbox.ShellStatus(s.cmd.ProcessState)))
	close(s.done)
}

func (s *namespaced) Signal(_ context.Context, sig os.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", s.name, err)
	}
	return nil
}

// Stop kills PID 1, and with it the kernel kills the rest, also when ctx is
// cancelled.
func (s *namespaced) Stop(ctx context.Context) error {
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: end of process %d expected within %v of SIGKILL, it still runs",
			s.name, s.PID(), sandbox.CleanupLimit)
	}
}

// Dial connects as a process of the sandbox would: 127.0.0.1 is the sandbox's.
// The address must be numeric.
func (s *namespaced) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.net.Dial(ctx, network, address)
	if err != nil && s.Ended() != "" {
		return nil, fmt.Errorf("dial %s: %w", s.name, os.ErrProcessDone)
	}
	return conn, err
}

// Inside calls do in the sandbox's network.
func (s *namespaced) Inside(do func() error) error { return s.net.Inside(do) }

package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/netns"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// container is one sandbox of the docker runtime.
type container struct {
	sandbox.Served

	engine        client.APIClient
	name, id, url string
	socket        string           // at which the target listens; empty for none
	pid           int              // 0 where the engine is not local
	pids          *pidns.Namespace // nil there, and where it is another user's
	net           *netns.Network   // nil where the port is published
	log           *sandbox.LogTail
	input         io.Writer // PID 1's standard input

	// abandon ends watch should the engine never report the end.
	abandon context.CancelFunc
	done    chan struct{}
	ended   string // written before done is closed, as is lost
	lost    error

	stop    sync.Mutex
	removed bool
}

var (
	_ sandbox.Sandbox    = (*container)(nil)
	_ sandbox.Dialer     = (*container)(nil)
	_ sandbox.Freezer    = (*container)(nil)
	_ sandbox.CPULimiter = (*container)(nil)
	_ sandbox.PIDSetter  = (*container)(nil)
	_ sandbox.PIDLimiter = (*container)(nil)
	_ sandbox.Networked  = (*container)(nil)
	_ sandbox.Contained  = (*container)(nil)
)

func (c *container) Name() string { return c.name }
func (c *container) URL() string  { return c.url }
func (c *container) PID() int     { return c.pid }
func (c *container) Log() []byte  { return c.log.Bytes() }

// Socket implements sandbox.AtSocket.
func (c *container) Socket() string { return c.socket }

// Dial goes the way of URL: into the container's own network where it has no other.
func (c *container) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.net == nil {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return c.net.Dial(ctx, network, address)
}

// Inside calls do in the container's own network, where URL goes there.
func (c *container) Inside(do func() error) error {
	if c.net == nil {
		return do()
	}
	return c.net.Inside(do)
}

func (c *container) ContainerID() string { return c.id }

func (c *container) Done() <-chan struct{} { return c.done }

func (c *container) Ended() string {
	select {
	case <-c.done:
		return c.ended
	default:
		return ""
	}
}

func (c *container) Lost() error {
	select {
	case <-c.done:
		return c.lost
	default:
		return nil
	}
}

// watch takes the container's output and its exit status, and closes done in
// the end, at once if it fails. It must be called before the container is
// started, or a target that ends at once is missed.
func (c *container) watch(ctx context.Context) error {
	ctx, abandon := context.WithCancelCause(context.WithoutCancel(ctx))
	c.abandon = func() { abandon(nil) }
	silent := time.AfterFunc(engineLimit, func() { abandon(errSilent) })
	defer silent.Stop()
	output, err := c.engine.ContainerAttach(ctx, c.id, client.ContainerAttachOptions{
		Stream: true,
		Stdin:  true,
		Stdout: true,
		Stderr: true,
	})
	if err != nil {
		err = unanswered(ctx, "attach to container", err)
		c.abandon()
		close(c.done)
		return err
	}
	c.input = output.Conn
	exit := c.engine.ContainerWait(ctx, c.id, client.ContainerWaitOptions{Condition: waitNextExit})
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		// ends with the container or with Close below
		_, _ = stdcopy.StdCopy(c.log, c.log, output.Reader)
	}()
	go func() {
		defer close(c.done)
		c.ended, c.lost = describeExit(ctx, exit)
		select {
		case <-drained:
		case <-time.After(sandbox.DrainLimit):
		}
		output.Close()
		<-drained
		c.abandon()
	}()
	return nil
}

const waitNextExit = "next-exit"

// describeExit waits for the end. An engine that is being stopped hangs up
// before it kills its containers.
func describeExit(ctx context.Context, exit client.ContainerWaitResult) (words string, lost error) {
	select {
	case result := <-exit.Result:
		return sandbox.ExitWords(result.StatusCode), nil
	case err := <-exit.Error:
		return "unknown", fmt.Errorf("the engine stopped reporting: %w", orCause(ctx, err))
	}
}

func (c *container) Signal(ctx context.Context, sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %s: %v has no number", c.name, sig)
	}
	_, err := c.engine.ContainerKill(ctx, c.id,
		client.ContainerKillOptions{Signal: strconv.Itoa(int(number))})
	if errdefs.IsConflict(err) || errdefs.IsNotFound(err) {
		return fmt.Errorf("signal %s: %w", c.name, os.ErrProcessDone)
	}
	if err != nil {
		return fmt.Errorf("signal %s: %w", c.name, err)
	}
	return nil
}

// Stop kills and removes the container also when ctx is cancelled.
func (c *container) Stop(ctx context.Context) error {
	c.stop.Lock()
	defer c.stop.Unlock()
	if c.removed {
		return nil
	}
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	if err := removeContainer(ctx, c.engine, c.id); err != nil {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	c.removed = true
	c.pids.Close()
	c.net.Close()
	select {
	case <-c.done:
		return nil
	case <-time.After(sandbox.DrainLimit):
		c.abandon()
		<-c.done
		return nil
	}
}

// locate learns where the running container is reached. It reports false if
// the container is not running any more.
func (c *container) locate(ctx context.Context, spec sandbox.Spec) (bool, error) {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	answer, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	if err != nil {
		return false, unanswered(ctx, "inspect container", err)
	}
	if !answer.Container.State.Running {
		return false, nil
	}
	c.pids, _ = pidns.Open(answer.Container.State.Pid) // before it is verified whose that is
	if c.pid = verifiedPID(answer.Container.State.Pid, c.id); c.pid == 0 {
		c.pids.Close()
		c.pids = nil
	}
	if answer.Container.HostConfig.NetworkMode.IsNone() {
		c.url = spec.Loopback()
		return c.entered(c.pid)
	}
	if spec.Port == 0 { // nothing is published, and who may not enter there asks from here
		if c.pid > 0 {
			c.net, _ = netns.Open(c.pid)
		}
		c.url = spec.Loopback()
		return true, nil
	}
	return true, c.published(answer.Container.NetworkSettings.Ports, spec.Port)
}

// entered opens the network of the container's PID 1. A target that refuses to start may
// have ended since the engine called it running: it reports false then.
func (c *container) entered(pid int) (running bool, err error) {
	if pid == 0 {
		return false, nil
	}
	c.net, err = netns.Open(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, err
}

// published learns which of this machine's ports reaches the container's.
func (c *container) published(all network.PortMap, port int) error {
	for inside, bindings := range all {
		if int(inside.Num()) == port && len(bindings) > 0 {
			c.url = "http://127.0.0.1:" + bindings[0].HostPort
			return nil
		}
	}
	return errors.New("find published port: the engine published none")
}

// verifiedPID is pid if this machine's process of that number is PID 1 of the
// container, else 0: an engine in a virtual machine counts its own processes.
func verifiedPID(pid int, id string) int {
	status, errStatus := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	cgroup, errCgroup := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if errStatus != nil || errCgroup != nil || !strings.Contains(string(cgroup), id) {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			if inner := strings.Fields(numbers); len(inner) > 1 && inner[len(inner)-1] == "1" {
				return pid
			}
		}
	}
	return 0
}

// freezeLimit bounds the wait for the last process to stop, which takes as long
// as its system call does.
const freezeLimit = await.Broken

// Freeze is `docker pause`, again and again: runc gives up with "unable to
// freeze" where processes are started faster than it freezes them (control
// groups v1). An engine whose answer came too late may have paused it all the
// same.
func (c *container) Freeze(ctx context.Context) error {
	err := c.pause(ctx)
	if err != nil {
		_ = c.Thaw(ctx) // which fails as a rule, since it is not paused
	}
	return err
}

func (c *container) pause(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, freezeLimit)
	defer cancel()
	err := await.Wait{
		For:   "a pause of the container",
		Every: 10 * time.Millisecond,
		Limit: freezeLimit,
		Over:  c.Done(),
	}.Until(ctx, func() (any, bool, error) {
		_, err := c.engine.ContainerPause(ctx, c.id, client.ContainerPauseOptions{})
		return err, err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("freeze %s: %w", c.name, err)
	}
	return nil
}

// Thaw does so also when ctx is cancelled.
func (c *container) Thaw(ctx context.Context) error {
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	if _, err := c.engine.ContainerUnpause(ctx, c.id,
		client.ContainerUnpauseOptions{}); err != nil {
		return fmt.Errorf("thaw %s: %w", c.name, err)
	}
	return nil
}

// SetNextPID needs a local engine and this process to be root; the container
// needs no privilege.
func (c *container) SetNextPID(_ context.Context, pid int) error {
	if c.pids == nil || !pidns.Privileged() {
		return fmt.Errorf("set next process ID of %s: it takes root, on the engine's machine",
			c.name)
	}
	return c.pids.SetNext("/proc", pid)
}

// LeavePIDs ends the shell that has chosen them.
func (c *container) LeavePIDs() { c.pids.Leave() }

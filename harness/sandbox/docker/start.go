package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/netns"
)

// Start creates and starts a container and waits until its target is ready.
func (d *Runtime) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed || d.image == "" {
		return nil, fmt.Errorf("start sandbox %s: the docker runtime is not prepared, or is closed",
			spec.Name)
	}
	request, err := d.request(spec)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	if err := d.bring(ctx, spec); err != nil {
		return nil, err
	}
	if err := d.placeFront(ctx, &request, spec.Front); err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	c, err := d.launch(ctx, spec, request)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	return c, nil
}

// bring pulls the target's own image where the engine does not have it.
func (d *Runtime) bring(ctx context.Context, spec sandbox.Spec) error {
	if spec.Image == "" {
		return nil
	}
	here, err := d.present(ctx, spec.Image)
	if err != nil {
		return err
	}
	if here {
		return d.checkArchitecture(ctx, spec.Image)
	}
	if err := d.pull(ctx, spec.Image, chosenPullLimit); err != nil {
		return &sandbox.Problem{
			Kind:   sandbox.ErrTarget,
			Doing:  "find image of sandbox " + spec.Name,
			Cause:  err,
			Advice: "bring it with docker load",
		}
	}
	return d.checkArchitecture(ctx, spec.Image)
}

// launch leaves no container behind when it fails.
func (d *Runtime) launch(ctx context.Context, spec sandbox.Spec,
	request testcontainers.ContainerRequest) (*container, error) {
	created, err := d.create(ctx, request)
	if err != nil { // by name: a container may have been made all the same
		return nil, errors.Join(createFailed(err), d.discard(ctx, request.Name))
	}
	c := &container{
		engine: d.engine(),
		name:   spec.Name,
		socket: spec.Socket,
		id:     created.GetContainerID(),
		log:    &sandbox.LogTail{Limit: sandbox.LogLimit},
		done:   make(chan struct{}),
	}
	if err := c.run(ctx, created, spec); err != nil {
		return nil, errors.Join(err, c.Stop(ctx))
	}
	d.learnToEnter(c)
	return c, nil
}

// learnToEnter finds out by the first container whether this process may enter the
// networks of others. Those then need no port of this machine: no bridge, no rule of
// its firewall and no proxy, which are a third of the time that a start takes. An
// engine in a virtual machine, and one that is another user's, cannot be entered.
func (d *Runtime) learnToEnter(c *container) {
	if d.enters.Load() || c.pid == 0 {
		return
	}
	if network, err := netns.Open(c.pid); err == nil {
		network.Close()
		d.enters.Store(true)
	}
}

// run starts what was created and waits until it is ready.
func (c *container) run(ctx context.Context, created testcontainers.Container,
	spec sandbox.Spec) error {
	if err := c.watch(ctx); err != nil {
		return err
	}
	if err := begin(ctx, created); err != nil {
		c.abandon()
		return createFailed(err)
	}
	_, _ = c.input.Write([]byte(sandbox.OwnInput)) // one that has ended takes none
	return c.ready(ctx, spec)
}

func begin(ctx context.Context, created testcontainers.Container) error {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	return orCause(ctx, created.Start(ctx))
}

// create takes 0.1 s, which an interrupt does not cut.
func (d *Runtime) create(ctx context.Context,
	request testcontainers.ContainerRequest) (testcontainers.Container, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	ctx, cancel := patientContext(ctx)
	defer cancel()
	ctx, cancel = engineContext(ctx)
	defer cancel()
	created, err := d.provider.CreateContainer(ctx, request)
	return created, orCause(ctx, err)
}

// ready waits until the target answers.
func (c *container) ready(ctx context.Context, spec sandbox.Spec) error {
	running, err := c.locate(ctx, spec)
	if err != nil {
		return err
	}
	if !running {
		return c.endedEarly(ctx, spec)
	}
	return sandbox.AwaitTarget(ctx, c, spec)
}

// endedEarly is why a container that does not run any more was not ready. The
// engine knows of its end, and only has to report it.
func (c *container) endedEarly(ctx context.Context, spec sandbox.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, sandbox.CleanupLimit)
	defer cancel()
	select {
	case <-c.done:
		return sandbox.NotReady(c, spec, sandbox.ErrEnded)
	case <-ctx.Done():
		return fmt.Errorf("report of the target's end expected within %v, none came: %w",
			sandbox.CleanupLimit, context.Cause(ctx))
	}
}

func (d *Runtime) discard(ctx context.Context, name string) error {
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	return removeContainer(ctx, d.engine(), name)
}

// createFailed tells a target that cannot be executed, which the engine calls
// an invalid argument, from an engine that cannot make a container.
func createFailed(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errSilent):
		return sandbox.Unavailable("make container", err, engineAdvice(err))
	case errdefs.IsInvalidArgument(err), errors.Is(err, fs.ErrNotExist),
		errors.Is(err, fs.ErrPermission):
		advice := "it must be an executable for this machine that needs no shared library " +
			"(CGO_ENABLED=0), or an image with an entry point"
		return &sandbox.Problem{
			Kind:   sandbox.ErrTarget,
			Doing:  "execute target",
			Cause:  err,
			Advice: advice,
		}
	default:
		return sandbox.Unavailable("make container", err,
			"see the engine's own log, for example with journalctl -u docker")
	}
}

// request says in testcontainers' words what the Spec asks for.
func (d *Runtime) request(spec sandbox.Spec) (testcontainers.ContainerRequest, error) {
	if (spec.Binary == "") == (spec.Image == "") {
		return testcontainers.ContainerRequest{},
			errors.New("exactly one of binary and image must be given")
	}
	if err := spec.CheckPort(); err != nil {
		return testcontainers.ContainerRequest{}, err
	}
	var port network.Port
	if spec.Port > 0 {
		port = network.MustParsePort(fmt.Sprintf("%d/tcp", spec.Port))
	}
	alone := d.enters.Load() && spec.Image == "" // somebody's image may want a network
	request := testcontainers.ContainerRequest{
		Name:           fmt.Sprintf("reapcheck-%s-%s-%d", d.id, spec.Name, d.started.Add(1)),
		Image:          spec.Image,
		Cmd:            spec.Args,
		Env:            spec.Env,
		Labels:         map[string]string{runLabel: d.config.Run, ownerLabel: d.owner},
		ConfigModifier: func(config *engine.Config) { config.OpenStdin = true },
		HostConfigModifier: func(host *engine.HostConfig) {
			host.LogConfig = engineLog
			host.CgroupParent = d.config.CgroupParent
			host.GroupAdd = []string{strconv.Itoa(sandbox.OwnGroup)}
			ownTemp(host, spec.Temp)
			if alone {
				host.NetworkMode = "none"
			} else if spec.Port > 0 {
				host.PortBindings = network.PortMap{port: {{HostIP: loopback}}}
			}
		},
	}
	if spec.Port > 0 && !alone {
		request.ExposedPorts = []string{port.String()}
	}
	if spec.Binary != "" {
		d.placeBinary(&request, spec.Binary)
	}
	return request, nil
}

// placeBinary makes a host binary the entry point, by its path in the image
// or as a copy.
func (d *Runtime) placeBinary(request *testcontainers.ContainerRequest, binary string) {
	path, ok := d.baked(binary)
	if !ok {
		path = "/usr/local/bin/target-" + filepath.Base(binary)
		request.Files = []testcontainers.ContainerFile{{
			HostFilePath:      binary,
			ContainerFilePath: path,
			FileMode:          0o755,
		}}
	}
	request.Image, request.Entrypoint = d.image, []string{path}
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// engineLog keeps a storm's log lines from filling the engine's disk, and
// overrides an engine whose default driver hands logs to someone else.
var engineLog = engine.LogConfig{
	Type:   "json-file",
	Config: map[string]string{"max-size": "8m", "max-file": "2"},
}

// frontFolder is how a container sees Front.Folder. The engine makes the mount
// point itself, also where the root is read-only.
const frontFolder = "/.reapcheck"

// placeFront mounts the front's folder and puts its program before the command
// line that the container would have had. The image is not changed.
func (d *Runtime) placeFront(ctx context.Context, request *testcontainers.ContainerRequest,
	front sandbox.Front) error {
	if front.Program == "" {
		return nil
	}
	if err := d.fillCommand(ctx, request); err != nil {
		return err
	}
	request.Entrypoint, request.Cmd = front.Argv(frontFolder,
		slices.Concat(request.Entrypoint, request.Cmd)), nil
	others := request.HostConfigModifier
	request.HostConfigModifier = func(host *engine.HostConfig) {
		others(host)
		if d.confined { // SELinux lets no container execute what is in a folder of this machine
			host.SecurityOpt = append(host.SecurityOpt, "label=disable")
		}
		host.Mounts = append(host.Mounts, mount.Mount{
			Type: mount.TypeBind, Source: front.Folder, Target: frontFolder, ReadOnly: true,
		})
	}
	return nil
}

// fillCommand writes out what the image would supply. An entry point of our
// own would otherwise make the engine drop the image's arguments too.
func (d *Runtime) fillCommand(ctx context.Context, request *testcontainers.ContainerRequest) error {
	if len(request.Entrypoint) > 0 {
		return nil
	}
	ctx, cancel := engineContext(ctx)
	defer cancel()
	image, err := d.engine().ImageInspect(ctx, request.Image)
	if err != nil {
		return unanswered(ctx, "read command line of image", err)
	}
	if image.Config == nil {
		return nil
	}
	request.Entrypoint = image.Config.Entrypoint
	if request.Cmd == nil {
		request.Cmd = image.Config.Cmd
	}
	return nil
}

// ownTemp gives the container folders for temporary files that hold so many bytes each; 0 leaves
// them as the image has them.
func ownTemp(host *engine.HostConfig, bytes int64) {
	if bytes == 0 {
		return
	}
	host.Tmpfs, host.ShmSize = map[string]string{}, bytes // what is below /dev is the engine's
	for _, folder := range sandbox.TempFolders {
		if !strings.HasPrefix(folder, "/dev/") {
			host.Tmpfs[folder] = fmt.Sprintf("rw,exec,mode=1777,size=%d", bytes)
		}
	}
}

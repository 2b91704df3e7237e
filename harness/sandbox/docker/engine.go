package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// pingLimit bounds the first word with an engine; a live one answers in 1 ms.
const pingLimit = 20 * time.Second

// configureTestcontainers must run before the library's first call: it reads its
// settings once. Its reaper's image cannot be pulled everywhere, and this
// package removes what it makes; its log lines would run into ours.
var configureTestcontainers = sync.OnceFunc(func() {
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	tclog.SetDefault(tclog.NewNoopLogger())
})

// findEngine finds an engine that answers. The error wraps ErrUnavailable and says
// what to do.
//
// DOCKER_HOST is tried here first because the library would pass over one that
// does not answer and quietly take the default socket.
func findEngine(ctx context.Context) (*testcontainers.DockerProvider, error) {
	configureTestcontainers()
	endpoint, err := ping(ctx)
	if err != nil && (os.Getenv(client.EnvOverrideHost) != "" || !errors.Is(err, fs.ErrNotExist)) {
		return nil, unreachable(endpoint, err)
	}
	provider, errProvider := testcontainers.NewDockerProvider(
		testcontainers.WithLogger(tclog.NewNoopLogger()))
	if errProvider != nil {
		return nil, unreachable(endpoint, cmp.Or(err, errProvider))
	}
	if host := provider.Client().DaemonHost(); !onThisMachine(host) {
		err := errors.New("it is on another machine, and targets are published on 127.0.0.1 only")
		return nil, sandbox.Unavailable("use docker engine at "+host, err,
			"run reapcheck beside the engine, or unset DOCKER_HOST")
	}
	return provider, nil
}

// Answers says why no engine answers; nil where one does. The error wraps
// sandbox.ErrUnavailable.
func Answers(ctx context.Context) error {
	provider, err := findEngine(ctx)
	if err != nil {
		return err
	}
	return provider.Close()
}

// connect finds the engine and notes what a report says of it.
func (d *Runtime) connect(ctx context.Context) error {
	provider, err := findEngine(ctx)
	if err != nil {
		return err
	}
	d.provider = provider
	ctx, cancel := engineContext(ctx)
	defer cancel()
	endpoint := d.engine().DaemonHost()
	info, err := d.engine().Info(ctx, client.InfoOptions{})
	if err != nil {
		return unreachable(endpoint, orCause(ctx, err))
	}
	// The library answers Info from memory, so the version is not negotiated yet.
	if _, err := d.engine().Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return unreachable(endpoint, orCause(ctx, err))
	}
	if err := checkRuntime(info.Info); err != nil {
		return err
	}
	d.nature, d.confined = nature(info.Info, d.product(ctx)), confined(info.Info)
	d.facts = map[string]string{
		"runtime":  d.Name(),
		"engine":   info.Info.ServerVersion,
		"api":      d.engine().ClientVersion(),
		"endpoint": endpoint,
		"kernel":   info.Info.KernelVersion,
		"storage":  info.Info.Driver,
		"cgroup":   info.Info.CgroupVersion,
		"cpus":     fmt.Sprint(info.Info.NCPU),
	}
	return nil
}

// ping asks DOCKER_HOST, or the default socket, for a sign of life.
func ping(ctx context.Context) (endpoint string, err error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return os.Getenv(client.EnvOverrideHost), fmt.Errorf("read DOCKER_HOST: %w", err)
	}
	defer engine.Close()
	if err = greet(ctx, engine); err == nil {
		err = askOnce(ctx, engine)
	}
	return engine.DaemonHost(), err
}

func greet(ctx context.Context, engine *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	if err := dial(ctx, engine.DaemonHost()); err != nil {
		return err
	}
	_, err := engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	return err
}

// askOnce asks what the library asks next, which waits for the answer without a limit.
func askOnce(ctx context.Context, engine *client.Client) error {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	_, err := engine.Info(ctx, client.InfoOptions{})
	return orCause(ctx, err)
}

// dial connects and hangs up. Its error still holds the system's error number,
// which the client's does not.
func dial(ctx context.Context, endpoint string) error {
	u, err := client.ParseHostURL(endpoint)
	if err != nil {
		return err
	}
	network, address := u.Scheme, u.Host
	if network == "unix" {
		address = strings.TrimPrefix(endpoint, "unix://")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// unreachable tells the ways apart in which an engine does not answer.
func unreachable(endpoint string, err error) error {
	return sandbox.Unavailable("reach docker engine at "+endpoint, err,
		contextAdvice(engineAdvice(err)))
}

func engineAdvice(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no engine here: install Docker Engine, or point DOCKER_HOST at its socket"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not use it: sudo usermod -aG docker $USER, then log in again"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the engine, " +
			"for example with sudo systemctl start docker"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("it did not answer within %v: restart the engine", pingLimit)
	case errors.Is(err, errSilent):
		return fmt.Sprintf("nothing came within %v: restart the engine", engineLimit)
	case errors.As(err, &dns):
		return "the name does not resolve: correct or unset DOCKER_HOST"
	default:
		return "see whether docker version answers; correct or unset DOCKER_HOST"
	}
}

// onThisMachine says whether a port published on 127.0.0.1 by the engine is
// one of this machine's.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "unix" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (d *Runtime) engine() client.APIClient { return d.provider.Client() }

// patientContext ends CleanupLimit after ctx does. The engine does not abandon
// at once what it is making when its client hangs up: it would appear after we
// had looked for it. So we let it finish, and remove it then.
func patientContext(ctx context.Context) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(sandbox.CleanupLimit, cancel) })
	return patient, func() { forget(); cancel() }
}

// engineLimit is how long the engine may take over one step of a start. A busy one
// takes seconds; one that hangs takes the call and never answers.
var engineLimit = 2 * time.Minute

// engineContext bounds such a step. The cause of its end says whose fault that is.
func engineContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, engineLimit, errSilent)
}

// unanswered is the error of such a step; where the engine has fallen silent that is
// the machine's fault.
func unanswered(ctx context.Context, doing string, err error) error {
	if err = orCause(ctx, err); errors.Is(err, errSilent) {
		return sandbox.Unavailable(doing, err, engineAdvice(err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

var errSilent = errors.New("the engine took the call and did not answer")

// orCause says why a context ended instead of that it ended: which limit was
// passed, or who interrupted.
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ownKernels are runtimes whose sandboxes have a kernel of their own, by a part of
// their names: what this machine's /proc says is of that kernel's process, and not
// of the target.
var ownKernels = []string{"runsc", "gvisor", "kata", "firecracker"}

// checkRuntime refuses what would be judged in the target's stead.
func checkRuntime(info system.Info) error {
	name := strings.ToLower(info.DefaultRuntime)
	within := func(part string) bool { return strings.Contains(name, part) }
	if !slices.ContainsFunc(ownKernels, within) {
		return nil
	}
	return sandbox.Unavailable("use docker engine with the runtime "+info.DefaultRuntime,
		errors.New(
			"its containers have a kernel of their own, whose process would be looked at instead "+
				"of the target"),
		"make runc the engine's default runtime, or use --runtime=namespace")
}

// nature is what a person should know of an engine, beside its version.
func nature(info system.Info, product string) string {
	words := []string{product, "runtime " + info.DefaultRuntime}
	for _, option := range info.SecurityOptions {
		name, _, _ := strings.Cut(strings.TrimPrefix(option, "name="), ",")
		if name == "selinux" || name == "rootless" || name == "userns" {
			words = append(words, name)
		}
	}
	return strings.Join(words, ", ")
}

// product is who made the engine.
func (d *Runtime) product(ctx context.Context) string {
	version, err := d.engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "an engine"
	}
	for _, part := range version.Components {
		if strings.HasPrefix(part.Name, "Podman") {
			return "Podman, of which some versions do not report a target that ends at once " +
				"(podman#28514)"
		}
	}
	return "Docker"
}

func confined(info system.Info) bool {
	return slices.ContainsFunc(info.SecurityOptions,
		func(option string) bool { return strings.HasPrefix(option, "name=selinux") })
}

// checkArchitecture refuses an image that only an emulator runs here: its calls are
// the emulator's, and so are its files and threads.
func (d *Runtime) checkArchitecture(ctx context.Context, image string) error {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	found, err := d.engine().ImageInspect(ctx, image)
	if err != nil {
		return unanswered(ctx, "inspect image "+image, err)
	}
	return foreign(image, found.Architecture)
}

func foreign(image, architecture string) error {
	if architecture == "" || architecture == runtime.GOARCH {
		return nil
	}
	return &sandbox.Problem{
		Kind:  sandbox.ErrTarget,
		Doing: "use image " + image,
		Cause: fmt.Errorf(
			"it is made for %s, and this machine is %s: an emulator would be judged instead",
			architecture, runtime.GOARCH),
		Advice: "give an image for this machine, or run reapcheck on one of that architecture",
	}
}

// otherContext names the context that the docker command would use, where that is
// not the engine which was tried: DOCKER_HOST and the default socket say nothing of
// it. Empty where there is none.
func otherContext() string {
	if os.Getenv(client.EnvOverrideHost) != "" {
		return ""
	}
	if name := os.Getenv("DOCKER_CONTEXT"); name != "" {
		return name
	}
	home, _ := os.UserHomeDir()
	folder := os.Getenv("DOCKER_CONFIG")
	if folder == "" {
		folder = filepath.Join(home, ".docker")
	}
	var config struct{ CurrentContext string }
	raw, _ := os.ReadFile(filepath.Join(folder, "config.json"))
	if json.Unmarshal(raw, &config) != nil || config.CurrentContext == "default" {
		return ""
	}
	return config.CurrentContext
}

// contextAdvice says how to use that engine.
func contextAdvice(advice string) string {
	name := otherContext()
	if name == "" {
		return advice
	}
	return fmt.Sprintf("the docker command uses its context %[1]s, which is not looked at here: "+
		"export DOCKER_HOST=$(docker context inspect %[1]s --format "+
		"'{{.Endpoints.docker.Host}}'), or %[2]s", name, advice)
}

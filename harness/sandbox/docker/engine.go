package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

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

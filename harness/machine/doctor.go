package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/docker"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
)

// filesNeed lets a storm of 256 requests hold two sockets each.
const filesNeed = 1024

// Diagnose tries what a run needs, in the order in which a run needs it. It
// builds an image as a run does and removes it again; a base image that had to
// be made or pulled stays, as it does after a run.
func Diagnose(ctx context.Context) []sandbox.Check {
	engine, namespaces := docker.Diagnose(ctx), namespace.Diagnose()
	all := append(oneIsEnough(engine, namespaces), checkPidfd(), checkOpenFiles(), checkListener(),
		checkTracer(ctx))
	if engine[0].OK {
		all = append(all, checkView(viewOfRoot()))
	}
	return all
}

// viewOfRoot looks at this machine's PID 1, as whoever is not root would look at a
// container's. Root itself sees that; this one may hold capabilities that it lacks.
// Root of a user namespace of their own is an ordinary user to the containers.
func viewOfRoot() error {
	if os.Geteuid() == 0 && os.Getenv(namespace.BecomingRoot) == "" {
		return nil
	}
	_, err := os.Readlink("/proc/1/ns/pid")
	return err
}

// checkView tells from a look at a process of root, as whom containers run, what
// scenarios will see of theirs.
func checkView(err error) sandbox.Check {
	if errors.Is(err, fs.ErrPermission) {
		return sandbox.Check{
			Name: "view into containers",
			Detail: "they run as root, whose processes this user may not look at: " +
				"most scenarios are inconclusive in docker",
			Advice: "run as root (sudo -E reapcheck ...), or with --runtime=namespace",
		}
	}
	return sandbox.Check{
		Name:   "view into containers",
		OK:     true,
		Detail: "root's processes can be looked at",
	}
}

// oneIsEnough requires nothing of one runtime where the other one works.
func oneIsEnough(runtimes ...[]sandbox.Check) []sandbox.Check {
	works := make([]bool, len(runtimes))
	for i, checks := range runtimes {
		works[i] = !slices.ContainsFunc(checks,
			func(c sandbox.Check) bool { return c.Required && !c.OK })
	}
	var all []sandbox.Check
	for i, checks := range runtimes {
		for _, c := range checks {
			c.Required = c.Required && (works[i] || !slices.Contains(works, true))
			all = append(all, c)
		}
	}
	return all
}

func checkOpenFiles() sandbox.Check {
	c := sandbox.Check{Name: "open files", Required: true}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		c.Detail = fmt.Sprintf("read limit: %v", err)
		return c
	}
	c.OK = limit.Cur >= filesNeed
	c.Detail = fmt.Sprintf("at most %d, %d needed", limit.Cur, filesNeed)
	if !c.OK {
		c.Advice = "ulimit -n 4096; if that is refused, raise nofile in /etc/security/limits.conf"
	}
	return c
}

// checkPidfd asks the kernel, not its version: a seccomp profile can take the
// call away. Without it Go waits by PID, and the race has another shape.
func checkPidfd() sandbox.Check {
	c := sandbox.Check{Name: "pidfd", Detail: probe.Kernel()}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		c.Detail = fmt.Sprintf("pidfd_open: %v on %s", err, c.Detail)
		c.Advice = "run Linux 5.4 or newer; what is seen without pidfd differs from what such a " +
			"machine shows"
		return c
	}
	_ = unix.Close(fd)
	c.OK = true
	return c
}

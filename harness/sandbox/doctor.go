package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// Check is one thing that the sandboxes need of this machine.
type Check struct {
	Name string
	OK   bool
	// Required means that without it nothing runs; the others narrow what does.
	Required bool
	// Detail says what was found.
	Detail string
	// Advice says what to do; empty where OK.
	Advice string
}

const (
	// diskNeed is 50 MB for the images and 16 MB for the log of each target,
	// times two.
	diskNeed = 512 << 20
	// filesNeed lets a storm of 256 requests hold two sockets each.
	filesNeed = 1024
)

// Diagnose tries what a run needs, in the order in which a run needs it. It
// builds an image as a run does and removes it again; a base image that had to
// be made or pulled stays, as it does after a run.
func Diagnose(ctx context.Context) []Check {
	namespaces := verdictOn("namespaces", "can be made by "+whoami(), tryNamespaces(ctx))
	docker := diagnoseDocker(ctx)
	checks := append(oneIsEnough(docker, namespaces), checkPidfd(), checkPIDLimit(Kernel()), checkOpenFiles())
	if docker[0].OK {
		checks = append(checks, checkView(viewOfRoot()))
	}
	return checks
}

// becomingRoot is set for the run that BecomeRoot starts, which must not start another.
const becomingRoot = "REAPCHECK_BECOMING_ROOT"

// viewOfRoot looks at this machine's PID 1, as whoever is not root would look at a
// container's. Root itself sees that; this one may hold capabilities that it lacks.
// Root of a user namespace of their own is an ordinary user to the containers.
func viewOfRoot() error {
	if os.Geteuid() == 0 && os.Getenv(becomingRoot) == "" {
		return nil
	}
	_, err := os.Readlink("/proc/1/ns/pid")
	return err
}

// checkView tells from a look at a process of root, as whom containers run, what
// scenarios will see of theirs.
func checkView(err error) Check {
	if errors.Is(err, fs.ErrPermission) {
		return Check{
			Name: "view into containers", Detail: "they run as root, whose processes this user may not look at: most scenarios are inconclusive in docker",
			Advice: "run as root (sudo -E reapcheck ...), or with --runtime=namespace",
		}
	}
	return Check{Name: "view into containers", OK: true, Detail: "root's processes can be looked at"}
}

// checkPIDLimit says whether a namespace's processes can be limited.
func checkPIDLimit(kernel string) Check {
	if hasPIDMaxPerNamespace(kernel) {
		return Check{Name: "process limit", OK: true, Detail: kernel + " has one for each PID namespace"}
	}
	return Check{
		Name: "process limit", Detail: kernel + " has none for a PID namespace: scenario pressure is inconclusive in namespaces",
		Advice: "run Linux 6.14 or newer, run in docker as root, or leave it out with --skip pressure",
	}
}

// oneIsEnough requires nothing of one runtime where the other one works.
func oneIsEnough(docker []Check, namespaces Check) []Check {
	engineWorks := !slices.ContainsFunc(docker, func(c Check) bool { return !c.OK })
	for i := range docker {
		docker[i].Required = !namespaces.OK
	}
	namespaces.Required = !engineWorks
	return append(docker, namespaces)
}

func diagnoseDocker(ctx context.Context) []Check {
	d := NewDocker(DockerConfig{Run: "doctor"})
	defer d.Close(ctx)
	var image base
	steps := []struct {
		name string
		try  func() (string, error)
	}{
		{"docker engine", func() (string, error) {
			err := d.connect(ctx)
			return fmt.Sprintf("%s (API %s) at %s", d.facts["engine"], d.facts["api"], d.facts["endpoint"]), err
		}},
		{"engine's disk", func() (string, error) { return checkDisk(ctx, d.engine()) }},
		{"base image", func() (_ string, err error) {
			image, err = d.chooseBase(ctx, io.Discard)
			return image.image + ", " + image.source, err
		}},
		{"image build", func() (string, error) {
			err := d.buildImage(ctx, image.image, io.Discard)
			return "built " + d.image, err
		}},
	}
	var checks []Check
	var blocked error
	for _, step := range steps {
		detail, err := "", blocked
		if blocked == nil {
			detail, err = step.try()
		}
		if blocked == nil && err != nil {
			blocked = fmt.Errorf("not tried: it needs the %s", step.name)
		}
		checks = append(checks, verdictOn(step.name, detail, err))
	}
	return checks
}

// verdictOn is a check that is required.
func verdictOn(name, detail string, err error) Check {
	if err == nil {
		return Check{Name: name, OK: true, Required: true, Detail: detail}
	}
	var p *problem
	if errors.As(err, &p) {
		return Check{Name: name, Required: true, Detail: p.brief(), Advice: p.advice}
	}
	return Check{Name: name, Required: true, Detail: err.Error()}
}

// checkDisk is content with a disk that cannot be seen from here: the image
// build that follows writes to it.
func checkDisk(ctx context.Context, engine client.APIClient) (string, error) {
	info, err := engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return "", err
	}
	root := info.Info.DockerRootDir
	var disk unix.Statfs_t
	if err := unix.Statfs(root, &disk); err != nil {
		return fmt.Sprintf("%s cannot be seen from here (%v)", root, err), nil
	}
	free := disk.Bavail * uint64(disk.Bsize)
	detail := fmt.Sprintf("%.1f GB free at %s", float64(free)/1e9, root)
	if free < diskNeed {
		return "", unavailable("look at the engine's disk", fmt.Errorf("%s, %.1f GB needed", detail, float64(diskNeed)/1e9), "free space on it, docker system df shows what takes it")
	}
	return detail, nil
}

func checkOpenFiles() Check {
	c := Check{Name: "open files", Required: true}
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

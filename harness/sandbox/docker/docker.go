// Package docker is the runtime that gives each sandbox a container of its own. It
// is the only importer of testcontainers.
//
// New is the front door; Diagnose says what an engine lacks, and Sweep removes what
// killed runs have left with it.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/testcontainers/testcontainers-go"

	"github.com/reapcheck/reapcheck"
	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Config is what one run asks of the docker runtime.
type Config struct {
	// Run names the run: [a-z0-9-]+. Every container and image carries it as
	// the label org.reapcheck.run. Two runs may have the same name.
	Run string
	// Binaries are host paths of static programs that the image shall carry.
	// A Spec.Binary that is one of them starts at once; any other is copied
	// into its container, which takes longer. Their file names must differ.
	Binaries []string
	// BaseImage is the user's own choice: if it cannot be had, Prepare fails.
	// Empty means DefaultBaseImage, or a base made from this machine's own
	// programs where that is neither here nor can be pulled.
	BaseImage string
	// CgroupParent is the control group in which containers are made, so that its
	// limits hold for them too; empty leaves that to the engine.
	CgroupParent string
}

// Runtime is the runtime that gives each sandbox a container of its own.
type Runtime struct {
	config Config
	owner  string // of This
	id     string // unique where config.Run is not

	dockerfile []byte
	provider   *testcontainers.DockerProvider
	image      string
	facts      map[string]string
	// nature is what a person should know of the engine, confined that SELinux is on.
	nature   string
	confined bool
	started  atomic.Int64
	enters   atomic.Bool // the networks of its containers

	// life is held for reading by each Start, so that Close finds all that
	// was started.
	life   sync.RWMutex
	closed bool
}

var _ sandbox.Runtime = (*Runtime)(nil)

// New does nothing yet; Prepare does.
func New(config Config) *Runtime {
	return &Runtime{
		config:     config,
		owner:      owner.This().String(),
		id:         config.Run + "-" + strconv.Itoa(os.Getpid()),
		dockerfile: reapcheck.Dockerfile,
		facts:      map[string]string{},
	}
}

// Name implements sandbox.Runtime.
func (d *Runtime) Name() string { return "docker" }

// Traits are the runtime's. An engine mostly waits for others at each start.
var Traits = sandbox.Traits{StartsAtOnce: 2, TakesImages: true, LimitsCPU: true,
	LimitsMemory: true}

// Traits implements sandbox.Runtime.
func (d *Runtime) Traits() sandbox.Traits { return Traits }

// Prepare finds the engine and builds the image that all sandboxes share.
func (d *Runtime) Prepare(ctx context.Context, progress io.Writer) error {
	if err := d.connect(ctx); err != nil {
		return err
	}
	fmt.Fprintf(progress, "docker: engine %s (API %s) at %s\n", d.facts["engine"], d.facts["api"],
		d.facts["endpoint"])
	base, err := d.chooseBase(ctx, progress)
	if err != nil {
		return err
	}
	d.facts["base"], d.facts["base source"] = base.image, base.source
	return d.buildImage(ctx, base.image, progress)
}

// Describe is empty before Prepare.
func (d *Runtime) Describe() map[string]string { return maps.Clone(d.facts) }

// Close waits for a Start that is under way, then removes every container and
// image that this process made for this run.
func (d *Runtime) Close(ctx context.Context) error {
	d.life.Lock()
	defer d.life.Unlock()
	if d.closed || d.provider == nil {
		return nil
	}
	d.closed = true
	ctx, cancel := sandbox.CloseContext(ctx)
	defer cancel()
	mine := func(labels map[string]string) bool { return labels[ownerLabel] == d.owner }
	_, err := removeLabelled(ctx, d.engine(), runLabel+"="+d.config.Run, mine)
	return errors.Join(err, d.provider.Close())
}

// baked gives the path that a host binary has in the image.
func (d *Runtime) baked(binary string) (string, bool) {
	for _, path := range d.config.Binaries {
		if samePath(path, binary) {
			return bakedPath(path), true
		}
	}
	return "", false
}

func bakedPath(binary string) string { return "/usr/local/bin/" + filepath.Base(binary) }

func samePath(a, b string) bool {
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

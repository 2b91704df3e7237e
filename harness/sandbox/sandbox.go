// Package sandbox starts a target as PID 1 of a fresh PID namespace and takes
// it down again.
//
// Runtime is the front door. A Runtime is prepared once, starts any number of
// sandboxes, and is closed once; Close removes everything that the runtime
// made, also what a failed Start left behind. The package knows nothing of
// HTTP requests, faults or verdicts.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Runtime is one way to give a target a PID namespace of its own.
// Its methods may be called from many goroutines, Prepare and Close once each.
type Runtime interface {
	// Name is what users call it: "docker", "namespace".
	Name() string
	// Traits is what is asked of a runtime of which no more is known.
	Traits() Traits
	// Prepare does what all sandboxes share, such as building an image, and
	// says what it does on progress.
	Prepare(ctx context.Context, progress io.Writer) error
	// Start returns a sandbox whose target has answered Spec.Ready. On error
	// nothing is left running and the error carries the end of the target's log.
	Start(ctx context.Context, spec Spec) (Sandbox, error)
	// Close stops what still runs and removes what the runtime made, also when
	// ctx is cancelled. A deadline of ctx that is still to come is its limit.
	Close(ctx context.Context) error
	// Describe is what a report says of the runtime: engine and version, image.
	Describe() map[string]string
}

// Traits are what runtimes differ in. The zero Traits promise nothing.
type Traits struct {
	// StartsAtOnce is how many sandboxes are started at a time: more make each of
	// them later and the last of them no earlier. At least 1.
	StartsAtOnce int
	// TakesImages says whether a target can be an image.
	TakesImages bool
	// LimitsCPU says whether everyone who may start a sandbox may also keep it short
	// of CPU.
	LimitsCPU bool
	// LimitsMemory says the same of its memory.
	LimitsMemory bool
	// Crowded says that there is room for few processes at a time, so few experiments run
	// beside each other. It is known once the runtime is prepared.
	Crowded bool
}

// Spec says what becomes PID 1 and how to reach it.
type Spec struct {
	// Name labels the sandbox in logs, container names and results: [a-z0-9-]+.
	Name string
	// Binary is a path on the host. It runs on the base image (docker) or on
	// the host's own root (namespace). Exactly one of Binary and Image is set.
	Binary string
	// FaultPointsBinary is the same target built with fault points; empty
	// where there is none. A fault that needs the points makes it the Binary.
	FaultPointsBinary string
	// Image is an image reference, for a runtime that takes images.
	Image string
	// Args follow the binary, or the image's own entrypoint, in place of the
	// image's own arguments; nil leaves those.
	Args []string
	// Front goes in front of the target; the zero Front is none.
	Front Front
	// Env is added to the target's environment.
	Env map[string]string
	// Port is the TCP port on which the target listens inside the sandbox. Where Await
	// is set it may be 0: the sandbox has no URL then.
	Port int
	// Socket is the path of the Unix socket on which it listens instead.
	Socket string
	// Ready is the path that answers 2xx once the target is ready.
	Ready string
	// Await returns when the target is ready, or with ctx; nil asks for Ready over HTTP.
	// An error that is ErrAsking is not the target's doing.
	Await func(ctx context.Context, sb Sandbox) error
	// Temp is how many bytes each of TempFolders holds, which are the sandbox's own then, and in
	// which nothing of another sandbox's is made. 0 leaves them as they come.
	Temp int64
	// StartLimit bounds the wait for Ready; zero means DefaultStartLimit.
	StartLimit time.Duration
	// Alone says that no other sandbox of this target runs beside it. What it takes of this
	// machine, such as the file of a Unix socket, is then taken from nobody.
	Alone bool
}

// Front is a program that prepares a sandbox from inside. It is executed as
// PID 1 with the target's whole command line after its own arguments, and
// becomes the target by execve(2): the target is PID 1 all the same.
type Front struct {
	// Folder is a host folder that the sandbox sees, read-only. All users must
	// be able to read it: the target may be anybody.
	Folder string
	// Program is a file in Folder: a static executable.
	Program string
	Args    []string
}

// Argv is the command line that becomes the target's, where folder is how the
// sandbox sees f.Folder.
func (f Front) Argv(folder string, target []string) []string {
	if f.Program == "" {
		return target
	}
	return slices.Concat([]string{filepath.Join(folder, f.Program)}, f.Args, target)
}

// CheckPort says what is wrong with the port.
func (s Spec) CheckPort() error {
	if s.Port == 0 && s.Await != nil || 1 <= s.Port && s.Port <= 65535 {
		return nil
	}
	return fmt.Errorf("port %d is invalid: choose 1 to 65535", s.Port)
}

// Loopback is the URL of the port for who is in the target's network, or of its socket
// for whoever has a Transport; empty without either.
func (s Spec) Loopback() string {
	switch {
	case s.Socket != "":
		return "http://localhost"
	case s.Port == 0:
		return ""
	}
	return fmt.Sprintf("http://127.0.0.1:%d", s.Port)
}

// DefaultStartLimit is generous: a container on a loaded two-core machine has
// been seen to need 5 s.
const DefaultStartLimit = 30 * time.Second

// Sandbox is one running target.
type Sandbox interface {
	Name() string
	// URL is the base URL that reaches the target from here, without a slash
	// at its end: http://127.0.0.1:49153.
	URL() string
	// PID is the target's process ID as this host sees it; 0 where the engine
	// is not local.
	PID() int
	// Log is the target's standard output and error so far, merged.
	Log() []byte
	// Done is closed when PID 1 has ended.
	Done() <-chan struct{}
	// Ended says how PID 1 ended, in words; empty before Done is closed.
	Ended() string
	// Signal sends a signal to PID 1.
	Signal(ctx context.Context, sig os.Signal) error
	// Stop kills all that lives in the sandbox and removes it. The log can
	// still be read afterwards. Stop is idempotent.
	Stop(ctx context.Context) error
}

// TempFolders are where programs keep what they mean to remove (hier(7), shm_overview(7)).
// Those that are told nothing else take the first one.
var TempFolders = []string{"/tmp", "/var/tmp", "/dev/shm"}

// Inside is how this machine sees a path of the sandbox.
func Inside(sb Sandbox, path string) string {
	return fmt.Sprintf("/proc/%d/root%s", sb.PID(), path)
}

// Lost says why nothing more is known of a sandbox: its engine went away, and
// what became of the target is not the target's doing. nil as a rule.
func Lost(sb Sandbox) error {
	if watched, ok := sb.(interface{ Lost() error }); ok {
		return watched.Lost()
	}
	return nil
}

// ErrUnavailable means that a runtime cannot run here at all, whatever the
// target: no engine, forbidden namespaces, no base image. The error that wraps
// it says what is missing and what to do.
var ErrUnavailable = errors.New("runtime unavailable")

// ErrAsking means that whoever was to ask the target whether it is ready could not.
var ErrAsking = errors.New("the target could not be asked")

// ErrTarget means that the runtime works and the target does not: it ended at
// start, or was never ready.
var ErrTarget = errors.New("target failed")

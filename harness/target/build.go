package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Build is a program of this project that runs inside sandboxes.
type Build string

const (
	// Ordinary is the daemon as it would be shipped.
	Ordinary Build = "daemon"
	// FaultPoints has named places that can be slowed and paused over HTTP.
	FaultPoints Build = "daemon-faultpoints"
	// Naive is a daemon as one writes it at the first try: the baseline for
	// promises that all of the reference daemon's strategies keep.
	Naive Build = "daemon-naive"
	// Launcher goes in front of a target; it is none itself.
	Launcher Build = "reapcheck-launcher"
)

// Builds are all programs that a session may start.
var Builds = []Build{Ordinary, FaultPoints, Naive}

const module = "github.com/reapcheck/reapcheck"

func (b Build) source() (pkg, tags string) {
	switch b {
	case FaultPoints:
		return module + "/daemon", "nomsgpack,faultpoints"
	case Naive:
		return module + "/fixtures/programs/naive", ""
	case Launcher:
		return module + "/harness/cmd/reapcheck-launcher", ""
	}
	return module + "/daemon", "nomsgpack"
}

// Find returns the path of a build. It looks into dir where one is given,
// beside the running executable, and at last compiles the program with the Go
// toolchain into the user's cache. The path is absolute: a sandbox's stage is in
// another folder.
func Find(ctx context.Context, b Build, dir string) (string, error) {
	if dir != "" {
		found := filepath.Join(dir, string(b))
		if _, err := os.Stat(found); err != nil {
			return "", fmt.Errorf("find this project's %s in the folder of daemons: %w", b, err)
		}
		return filepath.Abs(found)
	}
	if exe, err := os.Executable(); err == nil {
		found := filepath.Join(filepath.Dir(exe), string(b))
		if _, err := os.Stat(found); err == nil {
			return found, nil
		}
	}
	return compile(ctx, b)
}

// compile puts a build into the user's cache: from the source tree where this
// is one, else from the module in the version that this program is of.
func compile(ctx context.Context, b Build) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", b, err)
	}
	folder := filepath.Join(cache, "reapcheck")
	built := filepath.Join(folder, fmt.Sprintf("%s-linux-%s", b, runtime.GOARCH))
	if inSourceTree(ctx) {
		return built, Compile(ctx, b, built)
	}
	version, err := moduleVersion(debug.ReadBuildInfo())
	if err != nil {
		return "",
			fmt.Errorf("build %s: %w; put a %s beside this command, or name the folder that has it",
				b, err, b)
	}
	return install(ctx, b, version, filepath.Join(folder, version, string(b)))
}

// inSourceTree says whether the current folder belongs to this module.
func inSourceTree(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "go", "list", "-m").Output()
	return err == nil && strings.TrimSpace(string(out)) == module
}

// moduleVersion is the version under which a module proxy has this program's
// source, whether it was installed by itself or as a tool of another module.
func moduleVersion(info *debug.BuildInfo, ok bool) (string, error) {
	if !ok {
		return "", errors.New("this command does not know its own version")
	}
	version := info.Main.Version
	if info.Main.Path != module {
		version = ""
		for _, dep := range info.Deps {
			if dep.Path == module && dep.Replace == nil {
				version = dep.Version
			}
		}
	}
	if version == "" || version == "(devel)" || strings.HasSuffix(version, "+dirty") {
		return "", errors.New("this command was built from a source tree and is run outside of it")
	}
	return version, nil
}

// install makes a build from the module's published source, in a folder of its
// own; what is there already is of that version and stays.
func install(ctx context.Context, b Build, version, folder string) (string, error) {
	program := filepath.Join(folder, string(b))
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	pkg, tags := b.source()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-tags", tags, pkg+"@"+version)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+folder)
	if err := run(cmd, b); err != nil {
		return "", err
	}
	// go install names a program after its package.
	if err := os.Rename(filepath.Join(folder, path.Base(pkg)), program); err != nil {
		return "", fmt.Errorf("build %s: %w", b, err)
	}
	return program, nil
}

// Compile makes a build at path, for this machine's architecture and without
// cgo, so that it runs on any base image. The flags are those of go build.
func Compile(ctx context.Context, b Build, path string, flags ...string) error {
	pkg, tags := b.source()
	args := append([]string{"build", "-trimpath", "-tags", tags, "-o", path}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	return run(cmd, b)
}

// run compiles.
func run(cmd *exec.Cmd, b Build) error {
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf(
			"build %s: no Go toolchain found; put a %s beside this command or install Go: %w", b, b,
			err)
	}
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", b, err, out)
	}
	return nil
}

package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

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

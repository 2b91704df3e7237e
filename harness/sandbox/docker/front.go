package docker

import (
	"context"
	"slices"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/testcontainers/testcontainers-go"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// frontFolder is how a container sees Front.Folder. The engine makes the mount
// point itself, also where the root is read-only.
const frontFolder = "/.reapcheck"

// placeFront mounts the front's folder and puts its program before the command
// line that the container would have had. The image is not changed.
func (d *Runtime) placeFront(ctx context.Context, request *testcontainers.ContainerRequest, front sandbox.Front) error {
	if front.Program == "" {
		return nil
	}
	if err := d.fillCommand(ctx, request); err != nil {
		return err
	}
	request.Entrypoint, request.Cmd = front.Argv(frontFolder, slices.Concat(request.Entrypoint, request.Cmd)), nil
	others := request.HostConfigModifier
	request.HostConfigModifier = func(host *engine.HostConfig) {
		others(host)
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

package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/owner"
)

// Swept counts what a sweep removed.
type Swept struct{ Containers, Images int }

// Sweep removes the containers and images of runs whose process is gone, which
// a kill -9 leaves behind. When no run is alive it removes the base images
// made here as well. It touches nothing that does not carry reapcheck's label.
func Sweep(ctx context.Context) (Swept, error) {
	provider, err := findEngine(ctx)
	if err != nil {
		return Swept{}, err
	}
	defer provider.Close()
	swept, alive, err := sweepRuns(ctx, provider.Client(), runLabel)
	if err != nil || alive > 0 {
		return swept, err
	}
	bases, err := removeImages(ctx, provider.Client(), baseLabel,
		func(map[string]string) bool { return true })
	swept.Images += bases
	if errdefs.IsConflict(err) { // someone runs a container on it by hand
		err = nil
	}
	return swept, err
}

// sweepRuns looks at what carries the label, "name" or "name=value", and counts
// what still has an owner.
func sweepRuns(ctx context.Context, engine client.APIClient, label string) (swept Swept, alive int,
	err error) {
	swept, err = removeLabelled(ctx, engine, label, func(labels map[string]string) bool {
		o, ok := owner.Parse(labels[ownerLabel])
		if ok && o.Dead() {
			return true
		}
		alive++
		return false
	})
	return swept, alive, err
}

// removeLabelled removes what carries the label and is chosen by all its
// labels: containers first, since they hold on to their image.
func removeLabelled(ctx context.Context, engine client.APIClient, label string,
	choose func(map[string]string) bool) (Swept, error) {
	containers, errContainers := removeContainers(ctx, engine, label, choose)
	images, errImages := removeImages(ctx, engine, label, choose)
	return Swept{containers, images}, errors.Join(errContainers, errImages)
}

func removeContainers(ctx context.Context, engine client.APIClient, label string,
	choose func(map[string]string) bool) (int, error) {
	list, err := engine.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: labelled(label),
	})
	if err != nil {
		return 0, fmt.Errorf("list containers: %w", err)
	}
	var ids []string
	for _, c := range list.Items {
		if choose(c.Labels) {
			ids = append(ids, c.ID)
		}
	}
	return removeEach(ctx, engine, ids, removeContainer)
}

// killTries is how often the engine is asked to kill and remove a container. It waits
// for the end for ten seconds each time (moby, daemon/kill.go), which a busy machine has
// been seen to exceed.
const killTries = 3

// removeContainer kills and removes. A container that is gone, or that someone
// else is removing, is no error.
func removeContainer(ctx context.Context, engine client.APIClient, id string) error {
	for try := 1; ; try++ {
		_, err := engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{
			Force:         true,
			RemoveVolumes: true,
		})
		if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
			return nil
		}
		if try == killTries || ctx.Err() != nil || !strings.Contains(err.Error(), "exit event") {
			return fmt.Errorf("remove container %s: %w", id, err)
		}
	}
}

func removeImages(ctx context.Context, engine client.APIClient, label string,
	choose func(map[string]string) bool) (int, error) {
	list, err := engine.ImageList(ctx, client.ImageListOptions{Filters: labelled(label)})
	if err != nil {
		return 0, fmt.Errorf("list images: %w", err)
	}
	var ids []string
	for _, image := range list.Items {
		if choose(image.Labels) {
			ids = append(ids, image.ID)
		}
	}
	return removeEach(ctx, engine, ids, removeImage)
}

// removeImage asks again whether the image is there when it cannot be removed:
// the engine has several words for one that someone else has just removed.
func removeImage(ctx context.Context, engine client.APIClient, id string) error {
	_, err := engine.ImageRemove(ctx, id, client.ImageRemoveOptions{
		Force:         true,
		PruneChildren: true,
	})
	if err == nil {
		return nil
	}
	if _, gone := engine.ImageInspect(ctx, id); errdefs.IsNotFound(gone) {
		return nil
	}
	return fmt.Errorf("remove image %s: %w", id, err)
}

func labelled(label string) client.Filters { return client.Filters{}.Add("label", label) }

const (
	// runLabel carries the run's ID on every container and image.
	runLabel = "org.reapcheck.run"
	// ownerLabel carries the process that answers for them.
	ownerLabel = "org.reapcheck.owner"
	// baseLabel marks a base image that was made here. Runs share it.
	baseLabel = "org.reapcheck.base"
)

// removeEach counts what it has removed, and goes on where one cannot be.
func removeEach(ctx context.Context, engine client.APIClient, ids []string,
	remove func(context.Context, client.APIClient, string) error) (removed int, err error) {
	for _, id := range ids {
		errRemove := remove(ctx, engine, id)
		if errRemove == nil {
			removed++
		}
		err = errors.Join(err, errRemove)
	}
	return removed, err
}

package docker

import (
	"context"
	"fmt"
	"io"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// diskNeed is 50 MB for the images and 16 MB for the log of each target, times two.
const diskNeed = 512 << 20

// Diagnose tries what a run needs of the engine, in the order in which a run needs
// it. It builds an image as a run does and removes it again; a base image that had
// to be made or pulled stays.
func Diagnose(ctx context.Context) []sandbox.Check {
	d := New(Config{Run: "doctor"})
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
	var checks []sandbox.Check
	var blocked error
	for _, step := range steps {
		detail, err := "", blocked
		if blocked == nil {
			detail, err = step.try()
		}
		if blocked == nil && err != nil {
			blocked = fmt.Errorf("not tried: it needs the %s", step.name)
		}
		checks = append(checks, sandbox.VerdictOn(step.name, detail, err))
	}
	return checks
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
		return "", sandbox.Unavailable("look at the engine's disk", fmt.Errorf("%s, %.1f GB needed", detail, float64(diskNeed)/1e9), "free space on it, docker system df shows what takes it")
	}
	return detail, nil
}

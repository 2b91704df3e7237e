package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/fixtures/rootfs"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// DefaultBaseImage is small, common, and has GNU coreutils.
const DefaultBaseImage = "debian:bookworm-slim"

const (
	// defaultPullLimit is short, because there is another way.
	defaultPullLimit = 10 * time.Second
	// chosenPullLimit is for an image that the user named: there is no other.
	chosenPullLimit = 5 * time.Minute
)

// base is a base image that is present, and where it came from.
type base struct{ image, source string }

// chooseBase finds the base image: the user's own or none; else the default
// one, else the one made here earlier, else the default pulled, else one made
// now. The one made earlier goes before a pull, so that a machine without a
// registry waits for it once only.
func (d *Runtime) chooseBase(ctx context.Context, progress io.Writer) (base, error) {
	if image := d.config.BaseImage; image != "" {
		return d.chosenBase(ctx, image, progress)
	}
	if here, err := d.present(ctx, DefaultBaseImage); here || err != nil {
		return base{DefaultBaseImage, "was here"}, err
	}
	archive, errMake := rootfs.Make(ctx)
	if errMake == nil {
		if here, err := d.present(ctx, madeBase(archive)); here || err != nil {
			return base{madeBase(archive), "made from this machine's programs earlier"}, err
		}
	}
	fmt.Fprintf(progress, "docker: base image %s is not here, pulling it (at most %v)\n", DefaultBaseImage, defaultPullLimit)
	errPull := d.pull(ctx, DefaultBaseImage, defaultPullLimit)
	if errPull == nil {
		return base{DefaultBaseImage, "pulled"}, nil
	}
	if ctx.Err() != nil {
		return base{}, errPull
	}
	fmt.Fprintf(progress, "docker: no pull: %v\ndocker: making a base from this machine's own programs\n", errPull)
	if errMake != nil {
		return base{}, sandbox.Unavailable("find a base image", errors.Join(errPull, errMake), "name a base image that is here and has GNU coreutils")
	}
	return d.importBase(ctx, archive, progress)
}

func (d *Runtime) chosenBase(ctx context.Context, image string, progress io.Writer) (base, error) {
	if here, err := d.present(ctx, image); here || err != nil {
		return base{image, "was here"}, err
	}
	fmt.Fprintf(progress, "docker: base image %s is not here, pulling it (at most %v)\n", image, chosenPullLimit)
	err := d.pull(ctx, image, chosenPullLimit)
	if ctx.Err() != nil {
		return base{}, err
	}
	if err != nil {
		return base{}, sandbox.Unavailable("find base image "+image, err, "bring it with docker load, or name no base image")
	}
	return base{image, "pulled"}, nil
}

// present says whether the engine has an image. An engine that does not say is an
// error: there is nothing to be had from it.
func (d *Runtime) present(ctx context.Context, image string) (bool, error) {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	_, err := d.engine().ImageInspect(ctx, image)
	if ctx.Err() != nil {
		return false, unanswered(ctx, "look for image "+image, err)
	}
	return err == nil, nil
}

func (d *Runtime) pull(ctx context.Context, image string, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not pulled within %v", limit))
	defer cancel()
	if err := d.provider.PullImage(ctx, image); err != nil {
		return fmt.Errorf("pull %s: %w", image, orCause(ctx, err))
	}
	here, err := d.present(ctx, image)
	if err == nil && !here {
		err = errors.New("the engine reported no error and has no image")
	}
	if err != nil {
		return fmt.Errorf("pull %s: %w", image, err)
	}
	return nil
}

func madeBase(archive *rootfs.Archive) string { return "reapcheck-base:" + archive.Hash }

// importBase hands the archive to the engine. The image stays after the run:
// the next one finds it by its hash.
func (d *Runtime) importBase(ctx context.Context, archive *rootfs.Archive, progress io.Writer) (base, error) {
	ctx, cancel := engineContext(ctx)
	defer cancel()
	image := madeBase(archive)
	source := client.ImageImportSource{SourceName: "-", Source: bytes.NewReader(archive.Tar)}
	answer, err := d.engine().ImageImport(ctx, source, image, client.ImageImportOptions{
		Message: "made by reapcheck from the machine's own programs",
		Changes: []string{"LABEL " + baseLabel + "=" + archive.Hash},
	})
	if err == nil {
		err = d.imported(ctx, answer, image)
	}
	if err != nil {
		return base{}, sandbox.Unavailable("import base image "+image, orCause(ctx, err), "name a base image that is here")
	}
	fmt.Fprintf(progress, "docker: base image %s made: %d files, %.1f MB\n", image, archive.Files, float64(len(archive.Tar))/1e6)
	return base{image, "made from this machine's programs"}, nil
}

// imported reads the engine's answer to its end, and looks for what came of it.
func (d *Runtime) imported(ctx context.Context, answer io.ReadCloser, image string) error {
	defer answer.Close()
	said, err := io.ReadAll(answer)
	if err != nil {
		return err
	}
	here, err := d.present(ctx, image)
	if err == nil && !here {
		err = fmt.Errorf("the engine has no such image and said %q", said)
	}
	return err
}

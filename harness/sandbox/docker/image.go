package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/reapcheck/reapcheck/fixtures/rootfs"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// runRepository names the image of a run. The dot makes the first part a
// registry's name, which keeps testcontainers' hub.image.name.prefix off it.
const runRepository = "org.reapcheck/run"

// buildLimit is generous: the build copies two programs, 1 s on an idle machine.
const buildLimit = 3 * time.Minute

// buildImage builds Dockerfile.test on a base that is already here. An
// interrupt takes effect when the build is over.
func (d *Runtime) buildImage(ctx context.Context, base string, progress io.Writer) error {
	if ctx.Err() != nil {
		return fmt.Errorf("build image: %w", context.Cause(ctx))
	}
	began := time.Now()
	archive, err := buildContext(d.dockerfile, d.config.Binaries)
	if err != nil {
		return sandbox.Unavailable("collect what goes into the image", err,
			"build it first: make build")
	}
	fmt.Fprintf(progress, "docker: building the image on %s\n", base)
	patient, cancel := patientContext(ctx)
	defer cancel()
	limited, cancel := context.WithTimeoutCause(patient, buildLimit,
		fmt.Errorf("not built within %v", buildLimit))
	defer cancel()
	var log bytes.Buffer
	image, err := d.provider.BuildImage(limited, d.buildRequest(archive, base, &log))
	if ctx.Err() != nil {
		return fmt.Errorf("build image: %w", context.Cause(ctx))
	}
	if err != nil {
		p := sandbox.Unavailable("build image on "+base, orCause(limited, err),
			"if the base is at fault, name another base image")
		p.Log = log.Bytes()
		return p
	}
	d.image, d.facts["image"] = image, image
	fmt.Fprintf(progress, "docker: image %s built in %.1fs\n", image, time.Since(began).Seconds())
	return nil
}

// buildRequest asks for an image with archive in it, built on base. It stays until Close
// removes it.
func (d *Runtime) buildRequest(archive io.ReadSeeker, base string,
	log io.Writer) *testcontainers.ContainerRequest {
	return &testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{
			ContextArchive: archive,
			Dockerfile:     dockerfileName,
			Repo:           runRepository,
			Tag:            d.id,
			BuildArgs: map[string]*string{
				"BASE_IMAGE": &base,
				"RUN":        &d.config.Run,
				"OWNER":      &d.owner,
			},
			BuildLogWriter: log,
			KeepImage:      true,
		},
	}
}

const dockerfileName = "Dockerfile.test"

// buildContext is the Dockerfile and a folder bin with the binaries.
func buildContext(dockerfile []byte, binaries []string) (io.ReadSeeker, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	errs := []error{
		writeTar(w, &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     dockerfileName,
			Mode:     0o644,
		}, dockerfile),
		writeTar(w, &tar.Header{Typeflag: tar.TypeDir, Name: "bin/", Mode: 0o755}, nil),
	}
	seen := map[string]string{}
	for _, path := range binaries {
		name := filepath.Base(path)
		if other, ok := seen[name]; ok {
			return nil, fmt.Errorf("%s and %s have the same file name in the image: rename one",
				other, path)
		}
		seen[name] = path
		data, err := os.ReadFile(path)
		errs = append(errs, err, writeTar(w, &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     "bin/" + name,
			Mode:     0o755,
		}, data))
	}
	err := errors.Join(append(errs, w.Close())...)
	return bytes.NewReader(out.Bytes()), err
}

func writeTar(w *tar.Writer, header *tar.Header, data []byte) error {
	header.Size = int64(len(data))
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

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
	fmt.Fprintf(progress, "docker: base image %s is not here, pulling it (at most %v)\n",
		DefaultBaseImage, defaultPullLimit)
	errPull := d.pull(ctx, DefaultBaseImage, defaultPullLimit)
	if errPull == nil {
		return base{DefaultBaseImage, "pulled"}, nil
	}
	if ctx.Err() != nil {
		return base{}, errPull
	}
	fmt.Fprintf(progress,
		"docker: no pull: %v\ndocker: making a base from this machine's own programs\n", errPull)
	if errMake != nil {
		return base{}, sandbox.Unavailable("find a base image", errors.Join(errPull, errMake),
			"name a base image that is here and has GNU coreutils")
	}
	return d.importBase(ctx, archive, progress)
}

func (d *Runtime) chosenBase(ctx context.Context, image string, progress io.Writer) (base, error) {
	if here, err := d.present(ctx, image); here || err != nil {
		return base{image, "was here"}, err
	}
	fmt.Fprintf(progress, "docker: base image %s is not here, pulling it (at most %v)\n", image,
		chosenPullLimit)
	err := d.pull(ctx, image, chosenPullLimit)
	if ctx.Err() != nil {
		return base{}, err
	}
	if err != nil {
		return base{}, sandbox.Unavailable("find base image "+image, err,
			"bring it with docker load, or name no base image")
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
func (d *Runtime) importBase(ctx context.Context, archive *rootfs.Archive,
	progress io.Writer) (base, error) {
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
		return base{}, sandbox.Unavailable("import base image "+image, orCause(ctx, err),
			"name a base image that is here")
	}
	fmt.Fprintf(progress, "docker: base image %s made: %d files, %.1f MB\n", image, archive.Files,
		float64(len(archive.Tar))/1e6)
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

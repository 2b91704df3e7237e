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

	"github.com/testcontainers/testcontainers-go"

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
		return sandbox.Unavailable("collect what goes into the image", err, "build it first: make build")
	}
	fmt.Fprintf(progress, "docker: building the image on %s\n", base)
	patient, cancel := patientContext(ctx)
	defer cancel()
	limited, cancel := context.WithTimeoutCause(patient, buildLimit, fmt.Errorf("not built within %v", buildLimit))
	defer cancel()
	var log bytes.Buffer
	image, err := d.provider.BuildImage(limited, &testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{
			ContextArchive: archive,
			Dockerfile:     dockerfileName,
			Repo:           runRepository,
			Tag:            d.id,
			BuildArgs:      map[string]*string{"BASE_IMAGE": &base, "RUN": &d.config.Run, "OWNER": &d.owner},
			BuildLogWriter: &log,
			KeepImage:      true, // Close removes it
		},
	})
	if ctx.Err() != nil {
		return fmt.Errorf("build image: %w", context.Cause(ctx))
	}
	if err != nil {
		p := sandbox.Unavailable("build image on "+base, orCause(limited, err), "if the base is at fault, name another base image")
		p.Log = log.Bytes()
		return p
	}
	d.image, d.facts["image"] = image, image
	fmt.Fprintf(progress, "docker: image %s built in %.1fs\n", image, time.Since(began).Seconds())
	return nil
}

const dockerfileName = "Dockerfile.test"

// buildContext is the Dockerfile and a folder bin with the binaries.
func buildContext(dockerfile []byte, binaries []string) (io.ReadSeeker, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	errs := []error{
		writeTar(w, &tar.Header{Typeflag: tar.TypeReg, Name: dockerfileName, Mode: 0o644}, dockerfile),
		writeTar(w, &tar.Header{Typeflag: tar.TypeDir, Name: "bin/", Mode: 0o755}, nil),
	}
	seen := map[string]string{}
	for _, path := range binaries {
		name := filepath.Base(path)
		if other, ok := seen[name]; ok {
			return nil, fmt.Errorf("%s and %s have the same file name in the image: rename one", other, path)
		}
		seen[name] = path
		data, err := os.ReadFile(path)
		errs = append(errs, err, writeTar(w, &tar.Header{Typeflag: tar.TypeReg, Name: "bin/" + name, Mode: 0o755}, data))
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

// Image writes the file system of a base image to standard output, made from what this
// machine has: for `make image` where no registry can be reached.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/reapcheck/reapcheck/fixtures/rootfs"
)

func main() {
	archive, err := rootfs.Make(context.Background())
	if err == nil {
		_, err = os.Stdout.Write(archive.Tar)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

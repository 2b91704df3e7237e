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
	// strace is what some scenarios delay system calls with.
	archive, err := rootfs.Make(context.Background(), "strace")
	if err == nil {
		_, err = os.Stdout.Write(archive.Tar)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// Package reapcheck carries the files of the source tree that the command
// needs at run time, so that it works the same when `go install` put it on a
// machine without that tree.
package reapcheck

import _ "embed"

// Dockerfile is Dockerfile.test. Its build context is one folder, bin, with
// the programs to bake into the image.
//
//go:embed Dockerfile.test
var Dockerfile []byte

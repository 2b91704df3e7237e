//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"io"
	"runtime"
)

// NewNamespace returns a runtime that cannot be prepared.
func NewNamespace(string) Runtime { return nowhere{} }

// nowhere is the namespace runtime where there are no namespaces.
type nowhere struct{ Runtime }

func (nowhere) Name() string                                   { return "namespace" }
func (nowhere) Prepare(ctx context.Context, _ io.Writer) error { return tryNamespaces(ctx) }
func (nowhere) Close(context.Context) error                    { return nil }

func sweepGroups() (int, error) { return 0, nil }

// BecomeRoot says that it would be of no use.
func BecomeRoot() error { return tryNamespaces(context.Background()) }

func tryNamespaces(context.Context) error {
	return unavailable("make namespaces", errors.New(runtime.GOOS+" has none"), "start a docker engine, or run on Linux")
}

func whoami() string { return "this user" }

func checkPidfd() Check {
	return Check{Name: "pidfd", OK: true, Detail: "is the engine's machine's affair"}
}

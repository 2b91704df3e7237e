package namespace

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestMain(m *testing.M) {
	if os.Getenv("REAPCHECK_TEST_CHILD") == "" {
		if err := BecomeRoot(); err != nil {
			fmt.Fprintln(os.Stderr, "namespace tests are skipped:", err)
		}
	}
	children := map[string]func(string) int{"orphan": liveAsOrphan, "signals": sayInterrupts}
	sandboxtest.Main(m, children, func() error { return nil })
}

// liveAsOrphan starts a sandbox, says so, and lives until its input ends.
func liveAsOrphan(binary string) int {
	if err := BecomeRoot(); err != nil {
		fmt.Println(err)
		return 1
	}
	rt := New("")
	err := rt.Prepare(context.Background(), io.Discard)
	var sb sandbox.Sandbox
	if err == nil {
		spec := sandbox.Spec{Name: "orphan", Binary: binary, Port: 2280, Ready: "/healthz"}
		sb, err = rt.Start(context.Background(), spec)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", sb.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// sayInterrupts becomes root, says each SIGINT, and ends by SIGTERM.
func sayInterrupts(string) int {
	if err := BecomeRoot(); err != nil {
		fmt.Println(err)
		return 1
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	fmt.Println("ready")
	for s := range signals {
		fmt.Println(s)
		if s == syscall.SIGTERM {
			return 0
		}
	}
	return 1
}

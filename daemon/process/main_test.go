package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Tests of this package do not run in parallel: two strategies in one process
// take each other's children.

// joinGroupEnv makes the test binary a process that joins a group and stays.
const joinGroupEnv = "REAPCHECK_TEST_JOIN_GROUP"

func TestMain(m *testing.M) {
	if os.Getenv(pid1Env) != "" {
		if err := mountProc(); err != nil {
			fmt.Println("mount /proc:", err)
			os.Exit(1)
		}
	}
	if group, err := strconv.Atoi(os.Getenv(joinGroupEnv)); err == nil {
		syscall.Setpgid(0, group)
		time.Sleep(time.Minute)
	}
	// Orphans of the tests' commands come here, as they do to PID 1.
	BecomeSubreaper()
	os.Exit(m.Run())
}

// newExecutor returns an executor of the named strategy that is shut down when
// the test ends.
func newExecutor(t testing.TB, name string, options Options) *Executor {
	t.Helper()
	x := openExecutor(t, name, options)
	t.Cleanup(func() { x.Shutdown(over()) })
	return x
}

// openExecutor leaves the shutdown to the test.
func openExecutor(t testing.TB, name string, options Options) *Executor {
	t.Helper()
	strategy, err := NewStrategy(name, DefaultEchildWait, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if options.MaxOutput == 0 {
		options.MaxOutput = 10 << 20
	}
	if options.HeldStdoutGrace == 0 {
		options.HeldStdoutGrace = 250 * time.Millisecond
	}
	return NewExecutor(strategy, options)
}

// over returns a context that has ended.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func mustRun(t testing.TB, x *Executor, command string) Result {
	t.Helper()
	result, err := x.Execute(context.Background(), Request{Command: command})
	if err != nil {
		t.Fatalf("execute %q: %v", command, err)
	}
	return result
}

// patience is how long a test waits for what must come: far longer than a
// machine takes that is ten times slower than ours, and busy with other work.
const patience = time.Minute

// eventually waits until now says that all is well, by an empty string; else it
// reports the last thing that now said.
func eventually(t testing.TB, what string, now func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		last := now()
		if last == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s expected within %v, last saw %s", what, patience, last)
		}
		time.Sleep(pause)
	}
}

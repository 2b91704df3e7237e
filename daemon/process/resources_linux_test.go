package process

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// footprint is what a command must not leave behind.
type footprint struct{ files, goroutines, zombies, registered, cached int }

func measure(t testing.TB, x *Executor) footprint {
	c := x.Strategy().Counts()
	return footprint{openFiles(t), runtime.NumGoroutine(), Zombies(), c.Registered, c.Cached}
}

// baseline measures when x has made what is made once, such as the poller, and
// stops the collector, which closes files that were forgotten.
func baseline(t testing.TB, x *Executor) footprint {
	t.Helper()
	mustRun(t, x, "true")
	runtime.GC()
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	return measure(t, x)
}

// wantBackTo waits until nothing is left that was not there before.
func wantBackTo(t testing.TB, x *Executor, before footprint) {
	t.Helper()
	eventually(t, fmt.Sprintf("at most %+v", before), func() string {
		now := measure(t, x)
		if now.files > before.files || now.goroutines > before.goroutines || now.zombies+now.registered+now.cached > 0 {
			return fmt.Sprintf("%+v", now)
		}
		return ""
	})
}

// Invariant 6.
func TestNothingIsLeftOfCommands(t *testing.T) {
	x := newExecutor(t, "registry", Options{HeldStdoutGrace: time.Millisecond})
	before := baseline(t, x)
	for range 20 {
		mustRun(t, x, "exit 1")
		mustRun(t, x, "kill -9 $$")
		mustRun(t, x, "sleep 0.05 &")
		if _, err := x.Execute(context.Background(), Request{Command: "sleep 60", Timeout: time.Millisecond}); !errors.Is(err, ErrTimeout) {
			t.Fatalf("error %v, want ErrTimeout", err)
		}
		if _, err := x.Execute(over(), Request{Command: "sleep 60"}); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	}
	wantBackTo(t, x, before)
}

// Invariant 6: 300 commands wait in one thread, more or less.
func TestNoThreadIsParkedPerCommand(t *testing.T) {
	const commands, allowance = 300, 40
	x := newExecutor(t, "registry", Options{})
	before := threads(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, commands)
	for range commands {
		go func() {
			x.Execute(ctx, Request{Command: "exec sleep 60"})
			done <- struct{}{}
		}()
	}
	eventually(t, "all registered", func() string {
		if n := x.Strategy().Counts().Registered; n < commands {
			return fmt.Sprint(n)
		}
		return ""
	})
	if n := threads(t); n > before+allowance {
		t.Errorf("%d threads with %d commands in flight, %d before", n, commands, before)
	}
	cancel()
	for range commands {
		<-done
	}
	wantNoDescendants(t)
}

func TestTooManyOpenFiles(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	before := baseline(t, x)
	for room := range 8 {
		withOpenFiles(t, before.files+room, func() {
			_, err := x.Execute(context.Background(), Request{Command: "true"})
			if err != nil && !errors.Is(err, syscall.EMFILE) {
				t.Errorf("room for %d files: error %v, want EMFILE", room, err)
			}
			if err == nil && room == 0 {
				t.Error("a command was started without room for a pipe")
			}
		})
	}
	if got := mustRun(t, x, "exit 9").ExitCode; got != 9 {
		t.Errorf("exit code %d afterwards, want 9", got)
	}
	wantBackTo(t, x, before)
}

// withOpenFiles calls f while this process may have n open files.
func withOpenFiles(t *testing.T, n int, f func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	low := old
	low.Cur = uint64(n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	f()
}

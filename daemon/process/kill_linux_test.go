package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// prompt is how late an answer may be that waits for nobody: a second, on a
// machine that is ten times slower than ours.
const prompt = 10 * time.Second

// runFor executes a command with a timeout and wants ErrTimeout promptly, not
// counting what the machine takes from us. It may be called from any goroutine.
func runFor(t *testing.T, x *Executor, timeout time.Duration, command string) Result {
	t.Helper()
	begin := time.Now()
	stalled := watchStalls(begin.Add(timeout))
	result, err := x.Execute(context.Background(), Request{Command: command, Timeout: timeout})
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("execute %q: error %v, want ErrTimeout", command, err)
	}
	late, stall := time.Since(begin)-timeout, stalled()
	if late-stall > prompt {
		t.Errorf("answered %v after the deadline, of which the machine kept this process from running for %v", late, stall)
	}
	return result
}

// watchStalls returns a function that says for how long, from a time on, this
// process did not run though it was to: how late its timers were. Call it once.
func watchStalls(from time.Time) func() time.Duration {
	const beat = 20 * time.Millisecond
	stop, total := make(chan struct{}), make(chan time.Duration)
	go func() {
		var stalled time.Duration
		for running := true; running; {
			begin := time.Now()
			select {
			case <-time.After(beat):
			case <-stop:
				running = false
			}
			if begin.After(from) {
				stalled += max(0, time.Since(begin)-beat)
			}
		}
		total <- stalled
	}()
	return func() time.Duration {
		close(stop)
		return <-total
	}
}

// wantGone may be called from any goroutine.
func wantGone(t *testing.T, name string, pids []string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, word := range pids {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for p, err := readStat(pid); err == nil; p, err = readStat(pid) {
			if time.Now().After(deadline) {
				t.Errorf("%s: process gone expected within %v, last saw %+v", name, patience, p)
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func TestTimeoutKillsTheTree(t *testing.T) {
	t.Run("children named", func(t *testing.T) { killsTheTree(t, 0) })
	t.Run("after a grace", func(t *testing.T) { killsTheTree(t, 100*time.Millisecond) })
	t.Run("table walked", func(t *testing.T) {
		defer walkTheTable()()
		killsTheTree(t, 0)
	})
}

func killsTheTree(t *testing.T, grace time.Duration) {
	commands := map[string]string{
		"leader":              "echo $$; sleep 300",
		"group":               "echo $$; sh -c 'echo $$; sleep 300; true' & sleep 300",
		"deaf to SIGTERM":     "trap '' TERM; echo $$; sleep 300; true",
		"child in a session":  "echo $$; setsid sh -c 'echo $$; sleep 300; true' & sleep 300",
		"session in session":  "echo $$; setsid sh -c 'echo $$; setsid sh -c \"echo \\$\\$; sleep 300; true\"; true' & sleep 300",
		"stopped":             "echo $$; kill -STOP $$",
		"session that forks":  "echo $$; setsid sh -c 'while :; do sleep 0.01; done' & sleep 300",
		"background, no wait": "echo $$; while :; do sleep 0.01 & done",
	}
	x := newExecutor(t, "registry", Options{KillGrace: grace})
	var all sync.WaitGroup
	for name, command := range commands {
		all.Go(func() {
			pids := strings.Fields(string(runFor(t, x, 2*time.Second, command).Output))
			if len(pids) == 0 {
				t.Errorf("%s: no output, the command did not begin in time", name)
			}
			wantGone(t, name, pids)
		})
	}
	all.Wait()
	wantNoDescendants(t)
}

// The leader has ended and its group has not; the reaper comes between the stop
// and the kill. What was stopped must not stay so for ever.
func TestKillReachesTheGroupOfALeaderThatHasEnded(t *testing.T) {
	r := handDriven()
	cmd := exec.Command("/bin/sh", "-c", "sleep 300 & echo $!")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child, err := r.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	var background int
	if _, err := fmt.Fscan(out, &background); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(background, syscall.SIGKILL)
	awaitZombie(t, child.PID())

	defer walkTheTable()()
	table.busy.Lock()
	killed := make(chan struct{})
	go func() { defer close(killed); killTree(child, 0) }()
	eventually(t, "background child stopped", func() string {
		if p, err := readStat(background); err != nil || p.state != 'T' {
			return fmt.Sprintf("%+v, %v", p, err)
		}
		return ""
	})
	r.reapZombies()
	table.busy.Unlock()
	<-killed
	eventually(t, "background child killed", func() string {
		r.reapZombies()
		if p, err := readStat(background); err == nil {
			return fmt.Sprintf("%+v", p)
		}
		return ""
	})
	wantStatus(t, child.(*entry), 0)
}

// A walk over the processes of a busy machine takes its time, and many commands
// wait for the same one. The answer does not.
func TestTimeoutIsAnsweredWhileTheTreeIsSearched(t *testing.T) {
	defer walkTheTable()()
	x := newExecutor(t, "registry", Options{})
	table.busy.Lock()
	found := sync.OnceFunc(table.busy.Unlock)
	time.AfterFunc(3*prompt, found) // so that an answer that waits comes at all
	pid := strings.Fields(string(runFor(t, x, time.Second, "echo $$; exec sleep 300").Output))
	leader, err := strconv.Atoi(strings.Join(pid, ""))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := readStat(leader); err != nil || p.state != 'T' {
		t.Errorf("until it is killed the command is %+v, %v, want it stopped", p, err)
	}
	found()
	wantGone(t, "leader", pid)
}

func TestTimeoutKillsTheTreeWithoutPidfds(t *testing.T) {
	openPidfd = func(int, int) (int, error) { return -1, syscall.ENOSYS }
	defer func() { openPidfd = unix.PidfdOpen }()
	x := newExecutor(t, "registry", Options{})
	runFor(t, x, time.Second, "setsid sh -c 'sleep 300; true' & sleep 300")
	wantNoDescendants(t)
}

// walkTheTable lets a test meet a kernel that does not name children, until undone.
func walkTheTable() (undo func()) {
	old := namesChildren
	namesChildren = func() bool { return false }
	return func() { namesChildren = old }
}

// descendants are this process's own. Its threads do not stand, so the whole
// table is read.
func descendants() []stat {
	seen := readProcesses()
	all := seen.childrenOf(os.Getpid())
	for i := 0; i < len(all); i++ {
		all = append(all, seen.childrenOf(all[i].pid)...)
	}
	return all
}

func wantNoDescendants(t *testing.T) {
	t.Helper()
	eventually(t, "no descendants", func() string {
		if left := descendants(); len(left) > 0 {
			raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", left[0].pid))
			return fmt.Sprintf("%+v %q", left, raw)
		}
		return ""
	})
}

// Nobody can find a daemon's parents any more; it holds the pipe, and the
// answer must come all the same.
func TestTimeoutIsAnsweredWhileADaemonHoldsThePipe(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	result := runFor(t, x, time.Second, "(setsid sh -c 'echo $$; sleep 300; true' &); sleep 300")
	pid, err := strconv.Atoi(strings.TrimSpace(string(result.Output)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		t.Errorf("kill the daemon: %v", err)
	}
	wantNoDescendants(t)
}

func TestCommandThatEndsInTimeIsNotKilled(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	result, err := x.Execute(context.Background(), Request{Command: "exit 5", Timeout: time.Minute})
	if err != nil || result.ExitCode != 5 {
		t.Errorf("exit code %d, error %v", result.ExitCode, err)
	}
}

func TestHeldStdoutIsAnsweredAfterTheGrace(t *testing.T) {
	const grace = 100 * time.Millisecond
	x := newExecutor(t, "registry", Options{HeldStdoutGrace: grace})
	begin := time.Now()
	result := mustRun(t, x, "sleep 300 & echo $!; exit 4")
	if took := time.Since(begin); took < grace || took > grace+prompt {
		t.Errorf("answered after %v, want a little more than %v", took, grace)
	}
	if result.ExitCode != 4 {
		t.Errorf("exit code %d, want 4", result.ExitCode)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(result.Output)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the background child did not live on: %v", err)
	}
	wantNoDescendants(t)
}

func TestBackgroundChildMayWriteOn(t *testing.T) {
	x := newExecutor(t, "registry", Options{HeldStdoutGrace: time.Millisecond})
	witness := filepath.Join(t.TempDir(), "witness")
	mustRun(t, x, "(sleep 0.2; head -c 200000 /dev/zero && echo done > "+witness+") & exit 0")
	eventually(t, "witness written", func() string {
		if content, err := os.ReadFile(witness); err != nil || string(content) != "done\n" {
			return fmt.Sprintf("%q, %v", content, err)
		}
		return ""
	})
	wantNoDescendants(t)
}

func TestEndOfContextKillsTheCommand(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := x.Execute(ctx, Request{Command: "sleep 300"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	wantNoDescendants(t)
	if c := x.Strategy().Counts(); c.Registered != 0 || c.Cached != 0 {
		t.Errorf("counts %+v, want nothing registered or cached", c)
	}
}

func TestShutdown(t *testing.T) {
	x := openExecutor(t, "registry", Options{})
	type answer struct {
		result Result
		err    error
	}
	run := func(command string) <-chan answer {
		answers := make(chan answer, 1)
		go func() {
			result, err := x.Execute(context.Background(), Request{Command: command})
			answers <- answer{result, err}
		}()
		return answers
	}
	short, long := run("sleep 0.3; echo done; exit 6"), run("echo begun; sleep 300")
	eventually(t, "2 registered", func() string {
		if n := x.Strategy().Counts().Registered; n != 2 {
			return fmt.Sprint(n)
		}
		return ""
	})

	limit, cancel := context.WithCancel(context.Background())
	defer cancel()
	killed := make(chan int, 1)
	go func() { killed <- x.Shutdown(limit) }()
	a := <-short
	cancel()
	if n := <-killed; n != 1 {
		t.Errorf("%d killed, want 1", n)
	}
	if a.err != nil || a.result.ExitCode != 6 || string(a.result.Output) != "done\n" {
		t.Errorf("the short command gave %+v", a)
	}
	if a := <-long; !errors.Is(a.err, ErrShuttingDown) || string(a.result.Output) != "begun\n" {
		t.Errorf("the long command gave %+v", a)
	}
	if _, err := x.Execute(context.Background(), Request{Command: "true"}); !errors.Is(err, ErrShuttingDown) {
		t.Errorf("a late command: error %v, want ErrShuttingDown", err)
	}
	for _, p := range descendants() {
		if p.parent == os.Getpid() && p.state == 'Z' {
			reapRaw(t, p.pid) // the kill's last victim; the daemon's end would reap it
			continue
		}
		t.Errorf("left alive: %+v", p)
	}
}

// Shutdown must not wait for what lives on by design.
func TestShutdownLeavesBackgroundChildren(t *testing.T) {
	x := openExecutor(t, "registry", Options{HeldStdoutGrace: time.Millisecond})
	result := mustRun(t, x, "sleep 300 & echo $!")
	done := make(chan struct{})
	go func() { x.Shutdown(context.Background()); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("shutdown still waits after %v, last saw a background child hold the pipe", patience)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(result.Output)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the background child did not live on: %v", err)
	}
	syscall.Wait4(pid, nil, 0, nil)
}

package late

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// target is a process that answers a line when it is sent one.
type target struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
}

// startTarget runs this test binary in one of its manners, see TestMain.
func startTarget(t *testing.T, manner string) *target {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), mannerOf+"="+manner)
	return start(t, cmd)
}

// startShell is a target that waits for a child, by wait4(2), for each line. The child
// executes nothing.
func startShell(t *testing.T) *target {
	t.Helper()
	return start(t, exec.Command("/bin/sh", "-c", "while read x; do (exit 3); echo $?; done"))
}

func start(t *testing.T, cmd *exec.Cmd) *target {
	t.Helper()
	p := &target{t: t, cmd: cmd}
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return p
}

func (p *target) pid() int { return p.cmd.Process.Pid }

// say sends a line.
func (p *target) say(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatal(err)
	}
}

// hear reads the answer.
func (p *target) hear(want string) {
	p.t.Helper()
	if said, err := p.stdout.ReadString('\n'); said != want+"\n" {
		p.t.Fatalf("the target said %q (%v), want %q", said, err, want)
	}
}

// ask sends a line n times, and says how long the answers took.
func (p *target) ask(n int, want string) time.Duration {
	p.t.Helper()
	began := time.Now()
	for range n {
		p.say("")
		p.hear(want)
	}
	return time.Since(began)
}

// each calls f with the state and the tracer of each thread.
func (p *target) each(f func(state byte, tracer int)) (threads int) {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.pid()))
	for _, path := range all {
		tid, _ := strconv.Atoi(filepath.Base(path))
		stat, err := os.ReadFile(filepath.Join(path, "stat"))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		f(after[0], trace.TracerOf(tid))
		threads++
	}
	return threads
}

// mustBeFree waits until no thread is traced or stopped.
func (p *target) mustBeFree() {
	p.t.Helper()
	err := await.Wait{For: "0 threads that are traced or stopped", Every: time.Millisecond,
		Limit: await.Broken}.Until(p.t.Context(), func() (any, bool, error) {
		bound := 0
		threads := p.each(func(state byte, tracer int) {
			if tracer != 0 || state == 't' || state == 'T' {
				bound++
			}
		})
		return bound, bound == 0 && threads > 0, nil
	})
	if err != nil {
		p.t.Error(err)
	}
}

// mustStop waits until all threads are stopped. Those that lose their tracer are seen to
// run before they stop again (ptrace(2)).
func (p *target) mustStop() {
	p.t.Helper()
	err := await.Wait{For: "all threads stopped", Every: time.Millisecond,
		Limit: await.Broken}.Until(p.t.Context(), func() (any, bool, error) {
		running := 0
		threads := p.each(func(state byte, _ int) {
			if state != 't' && state != 'T' {
				running++
			}
		})
		return running, running == 0 && threads > 0, nil
	})
	if err != nil {
		p.t.Error(err)
	}
}

func (p *target) signal(sig unix.Signal) {
	p.t.Helper()
	if err := unix.Kill(p.pid(), sig); err != nil {
		p.t.Fatal(err)
	}
}

// inject is Start for a target that can be traced.
func (p *target) inject(call Call, delay time.Duration) *Tracer {
	p.t.Helper()
	tracer, err := Start(p.t.Context(), p.pid(), call, delay)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(tracer.kill)
	return tracer
}

func mustHit(t *testing.T, tracer *Tracer, want int64) {
	t.Helper()
	if hits, err := tracer.End(t.Context()); hits != want || err != nil {
		t.Errorf("%d hits, error %v; %d hits expected", hits, err, want)
	}
}

func TestTakesAreDelayedUntilTheEnd(t *testing.T) {
	const delay, children = 50 * time.Millisecond, 3
	p := startShell(t)
	tracer := p.inject(Wait4, delay)
	if took := p.ask(children, "3"); took < children*delay {
		t.Errorf("%d children in %v, though each was delayed by %v", children, took, delay)
	}
	mustHit(t, tracer, children)
	p.mustBeFree()
	p.ask(children, "3")
}

// The delay is far longer than what the others are given to answer.
func TestAThreadThatIsKeptKeepsNoOther(t *testing.T) {
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, time.Hour)
	p.say("take")
	p.hear("taking")
	for range 100 {
		p.say("")
		p.hear("here")
	}
	mustHit(t, tracer, 1)
	p.hear("taken")
}

func TestAllThatAreKeptAreLetGo(t *testing.T) {
	const delay, takers = 100 * time.Millisecond, 8
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, delay)
	began := time.Now()
	for range takers {
		p.say("take")
	}
	heard := map[string]int{}
	for range 2 * takers {
		said, _ := p.stdout.ReadString('\n')
		heard[said]++
	}
	if took := time.Since(began); heard["taken\n"] != takers || took < delay {
		t.Errorf("the target said %v in %v, each of %d takes delayed by %v", heard, took, takers, delay)
	}
	mustHit(t, tracer, takers)
}

// A wait4 that has taken no child is no hit, nor is what a child of the target does.
func TestOnlyWhatTheTargetTakesHits(t *testing.T) {
	p := startTarget(t, "in vain")
	tracer := p.inject(Wait4, time.Hour)
	p.ask(3, "-1 0 3")
	mustHit(t, tracer, 0)
}

func TestReadHitsOnceForEachStartThatIsToldByAPipe(t *testing.T) {
	const delay, commands = 50 * time.Millisecond, 3
	p := startTarget(t, "commands")
	p.ask(1, "3") // what Go reads once, at the first start
	tracer := p.inject(Read, delay)
	if took := p.ask(commands, "3"); took < commands*delay {
		t.Errorf("%d commands in %v, though each start was delayed by %v", commands, took, delay)
	}
	mustHit(t, tracer, commands)
}

// The target reads what its commands write to the end, be it that they execute a program.
func TestNoEndOfOutputHits(t *testing.T) {
	for name, script := range map[string]string{
		"a program":  "while read x; do y=$(/bin/sh -c 'echo out; exit 3'); echo $?; done",
		"no program": "while read x; do y=$(echo out; exit 3); echo $?; done",
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, exec.Command("/bin/sh", "-c", script))
			tracer := p.inject(Read, time.Hour)
			p.ask(3, "3")
			mustHit(t, tracer, 0)
		})
	}
}

func TestCloseHitsWhereAPidfdIsClosed(t *testing.T) {
	const delay, commands = 50 * time.Millisecond, 3
	p := startTarget(t, "commands")
	p.ask(1, "3")
	tracer := p.inject(Close, delay)
	if took := p.ask(commands, "3"); took < commands*delay {
		t.Errorf("%d commands in %v, though each pidfd was closed late by %v", commands, took, delay)
	}
	mustHit(t, tracer, commands)
}

// The target closes pipes and files, and would not answer for an hour.
func TestNoOtherFileIsClosedLate(t *testing.T) {
	p := start(t, exec.Command("/bin/sh", "-c",
		"while read x; do y=$(exit 3); s=$?; exec 5</dev/null 5<&-; echo $s; done"))
	tracer := p.inject(Close, time.Hour)
	p.ask(3, "3")
	mustHit(t, tracer, 0)
}

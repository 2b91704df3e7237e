package late

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// The thread that is kept when the harness is killed would be so for an hour.
func TestNothingOutlivesAHarnessThatIsKilled(t *testing.T) {
	p := startTarget(t, "beside")
	harness := exec.Command("/proc/self/exe")
	harness.Env = append(os.Environ(), mannerOf+"=harness", fmt.Sprintf("%s=%d", targetOf, p.pid()))
	stdin, errIn := harness.StdinPipe()
	stdout, errOut := harness.StdoutPipe()
	if err := errors.Join(errIn, errOut, harness.Start()); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	said, err := bufio.NewReader(stdout).ReadString('\n')
	p.say("take")
	p.hear("taking")
	p.say("")
	p.hear("here")
	harness.Process.Kill()
	harness.Wait()
	if err != nil || said != "injected: <nil>\n" {
		t.Fatalf("%q, %v", said, err)
	}
	p.hear("taken")
	p.mustBeFree()
}

func TestATracerThatDiesVoidsTheHits(t *testing.T) {
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, time.Hour)
	p.say("take")
	p.hear("taking")
	tracer.cmd.Process.Kill()
	p.hear("taken")
	if _, err := tracer.End(t.Context()); !errors.Is(err, errEnded) {
		t.Errorf("error %v", err)
	}
	p.mustBeFree()
}

func TestATracerThatDoesNotAnswerIsKilled(t *testing.T) {
	p := startShell(t)
	tracer := p.inject(Wait4, time.Hour)
	tracer.cmd.Process.Signal(unix.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := tracer.End(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	p.mustBeFree()
	p.ask(3, "3")
}

func TestATargetMayEndInTheMiddle(t *testing.T) {
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, time.Hour)
	p.say("take")
	p.hear("taking")
	p.cmd.Process.Kill()
	p.cmd.Wait()
	mustHit(t, tracer, 1)
	if _, err := Start(t.Context(), p.pid(), Wait4, 0); !errors.Is(err, ErrRefused) ||
		!strings.Contains(err.Error(), "has ended") {
		t.Errorf("a target that has ended: %v", err)
	}
}

func TestATargetThatIsTracedAlreadyIsRefused(t *testing.T) {
	p := startShell(t)
	p.inject(Wait4, time.Hour)
	if _, err := Start(t.Context(), p.pid(), Wait4, 0); !errors.Is(err, ErrRefused) ||
		!strings.Contains(err.Error(), "traces it already") {
		t.Errorf("error %v", err)
	}
}

func TestATargetOfSomebodyElsesIsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may trace everyone")
	}
	if _, err := Start(t.Context(), 1, Wait4, 0); !errors.Is(err, ErrRefused) ||
		!strings.Contains(err.Error(), "run reapcheck as root") {
		t.Errorf("error %v", err)
	}
}

func TestACallThatNobodyKnowsIsAProblem(t *testing.T) {
	if _, err := Start(t.Context(), startShell(t).pid(), "mount", 0); err == nil ||
		errors.Is(err, ErrRefused) {
		t.Errorf("error %v", err)
	}
}

func TestFiveHundredThreadsAreTraced(t *testing.T) {
	const delay = 50 * time.Millisecond
	p := startTarget(t, "crowd")
	p.hear("ready")
	tracer := p.inject(Wait4, delay)
	untraced := 0
	threads := p.each(func(_ byte, tracerPID int) {
		if tracerPID != tracer.cmd.Process.Pid {
			untraced++
		}
	})
	if threads < crowd || untraced > 0 {
		t.Errorf("%d of %d threads are not traced", untraced, threads)
	}
	if took := p.ask(3, "3"); took < 3*delay {
		t.Errorf("3 children in %v, though each was delayed by %v", took, delay)
	}
	mustHit(t, tracer, 3)
	p.mustBeFree()
}

// Threads that come and go all the time: none is missed, and each has a new one take.
func TestThreadsOfEveryAgeAreTraced(t *testing.T) {
	p := startTarget(t, "mayflies")
	p.hear("ready")
	tracer := p.inject(Wait4, time.Millisecond)
	p.ask(100, "3")
	mustHit(t, tracer, 100)
	p.mustBeFree()
}

// A thread whose delay ends while all are stopped stays stopped, like those that no one
// keeps, until somebody says SIGCONT.
func TestAStoppedTargetStaysStopped(t *testing.T) {
	const delay = 20 * time.Millisecond
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, delay)
	taken := int64(0)
	for stopped := 0; stopped < 3 && !t.Failed(); {
		p.say("take")
		taken++
		if said, _ := p.stdout.ReadString('\n'); said == "taken\n" {
			p.hear("taking") // the delay was over before the target could say so
			continue
		}
		stopped++
		p.signal(unix.SIGSTOP)
		p.mustStop()
		p.say("")
		time.Sleep(5 * delay) // the delay is over, and nobody may go on
		p.mustStop()
		p.signal(unix.SIGCONT)
		heard := map[string]bool{}
		for range 2 {
			said, _ := p.stdout.ReadString('\n')
			heard[said] = true
		}
		if !heard["taken\n"] || !heard["here\n"] {
			t.Errorf("the target said %v", heard)
		}
	}
	p.signal(unix.SIGSTOP)
	p.mustStop()
	mustHit(t, tracer, taken)
	p.mustStop() // without a tracer
	p.signal(unix.SIGCONT)
	p.mustBeFree()
	p.say("")
	p.hear("here")
}

func TestSignalsArePassedOn(t *testing.T) {
	p := startTarget(t, "signals")
	p.hear("ready")
	tracer := p.inject(Wait4, time.Hour)
	for range 100 {
		for _, sig := range []unix.Signal{unix.SIGUSR1, unix.SIGCHLD, unix.SIGTERM, unix.SIGHUP} {
			p.signal(sig)
			p.hear(sig.String())
		}
	}
	mustHit(t, tracer, 0)
}

// A thread that is not the first one executes another program: it gets the first one's
// number, and all others vanish, the one that is kept too.
func TestATargetThatExecutesAnotherIsTracedOn(t *testing.T) {
	p := startTarget(t, "beside")
	tracer := p.inject(Wait4, time.Hour)
	p.say("take")
	p.hear("taking")
	p.say("exec")
	p.hear("executed")
	if by := trace.TracerOf(p.pid()); by != tracer.cmd.Process.Pid {
		t.Errorf("traced by %d", by)
	}
	p.say("take")
	p.hear("taking")
	p.say("")
	p.hear("here")
	mustHit(t, tracer, 2)
	p.hear("taken")
}

func asHarness() {
	pid, _ := strconv.Atoi(os.Getenv(targetOf))
	_, err := Start(context.Background(), pid, Wait4, time.Hour)
	fmt.Println("injected:", err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

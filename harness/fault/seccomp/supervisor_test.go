package seccomp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/launcher"
)

// ended waits until nothing is supervised any more.
func (v *victim) ended() {
	v.t.Helper()
	select {
	case <-v.done:
	case <-time.After(answerLimit):
		v.t.Fatalf("end of supervision expected within %v", answerLimit)
	}
}

// The commands inherit the filter. Their calls are no one's business.
func TestCallsOfCommandsAreNotHeld(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.start("(exit 3); exit $?")
	v.dead(1)
	v.must("take", "3")
	if c, _ := v.Counts(); c.Foreign == 0 || c.Held != 0 || c.Waits != 0 {
		t.Errorf("%+v", c)
	}
}

func TestATargetThatIsKilledWhileACallIsHeld(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.heldWait("exec sleep 60")
	v.cmd.Process.Kill()
	v.ended()
	v.Set(Policy{}) // to set a policy for what is dead does no harm
	if c, err := v.Counts(); c.LimitHits != 0 || err != nil {
		t.Errorf("%+v, error %v", c, err)
	}
}

// A target must not hang because the harness has gone.
func TestWaitsFailOnceNobodyAnswers(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	answer := v.heldWait("exec sleep 60")
	v.close()
	v.want(answer, unix.ENOSYS.Error())
}

// A signal interrupts a held call, since the target has a handler. The call
// then enters anew.
func TestSignalsDoNotSetACallFree(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	answer := v.heldWait("exec sleep 60")
	for range 20 {
		v.signalEachThread(unix.SIGCHLD)
		v.must("take", "none") // by which time the signals have come
	}
	select {
	case got := <-answer:
		t.Errorf("the call came free: %s", got)
	default:
	}
	if c, _ := v.Counts(); c.Waits != 1 || c.LimitHits != 0 || c.ReaperFirst != 0 {
		t.Errorf("%+v", c)
	}
}

// signalEachThread passes over a thread that ends meanwhile.
func (v *victim) signalEachThread(sig syscall.Signal) {
	v.t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", v.cmd.Process.Pid))
	if err != nil {
		v.t.Fatal(err)
	}
	for _, thread := range threads {
		tid, _ := strconv.Atoi(thread.Name())
		if err := unix.Tgkill(v.cmd.Process.Pid, tid, sig); err != nil && err != unix.ESRCH {
			v.t.Fatal(err)
		}
	}
}

func TestStoppedTargetIsNoTrouble(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	answer := v.heldWait("exit 7")
	v.dead(1)
	v.cmd.Process.Signal(syscall.SIGSTOP)
	v.Set(Policy{})
	v.cmd.Process.Signal(syscall.SIGCONT)
	v.want(answer, "7")
}

func TestPidfdCanBeTakenAway(t *testing.T) {
	h := newHub(t)
	v := newVictim(t, h)
	v.must("pidfd", "<nil>")
	if c, _ := v.Counts(); c.ByPidfd == 0 {
		t.Error("Go's probe was not seen")
	}
	t.Run("without", func(t *testing.T) {
		v := newVictim(t, h, launcher.NoPidfd)
		v.must("pidfd", unix.ENOSYS.Error())
		if c, _ := v.Counts(); c.ByPidfd != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// The kernel allows one listener for a process, and applies all filters.
func TestATargetWithAFilterOfItsOwn(t *testing.T) {
	v := newVictim(t, newHub(t))
	if v.OwnFilter() {
		t.Error("a filter of its own is seen before there is one")
	}
	v.must("listener", unix.EBUSY.Error())
	v.must("filter", "<nil>")
	if !v.OwnFilter() {
		t.Error("its own filter is not seen")
	}
	v.Set(Policy{Rule: ReaperWins})
	answer := v.heldWait("exit 7")
	v.dead(1)
	v.must("take", "7")
	v.want(answer, echild)
}

// Where the filter cannot be installed the target runs without, and the reason
// comes home in words.
func TestALauncherThatMayNotInstallItsFilter(t *testing.T) {
	h := newHub(t)
	for name, c := range map[string]struct {
		before []string
		want   string
	}{
		"listened to": {[]string{filepath.Join(h.folder, launcherName), "outer"},
			"the kernel allows one"},
		"refused": {[]string{refuserName}, "a security profile refuses seccomp(2)"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(h, "inner")
			cmd.Args = append(c.before,
				append([]string{filepath.Join(h.folder, launcherName)}, cmd.Args[1:]...)...)
			cmd.Path = "/proc/self/exe"
			v := startVictim(t, cmd)
			v.start("exit 7")
			v.must("take-blocking", "7")
			if _, err := h.Supervisor("inner"); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestALauncherThatIsNotReceived(t *testing.T) {
	h := newHub(t)
	if _, err := h.Supervisor("nobody"); err == nil ||
		!strings.Contains(err.Error(), "the target's log says why") {
		t.Error(err)
	}
}

// noFilesLeft lets this process open nothing until the returned function is called.
func noFilesLeft(t *testing.T) (again func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}
}

// A launcher that comes while no file can be opened must not be the last one.
func TestTheHubOutlivesAMomentWithoutFiles(t *testing.T) {
	h := newHub(t)
	conn, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	again := noFilesLeft(t)
	err = unix.Connect(conn, &unix.SockaddrUnix{Name: filepath.Join(h.folder, launcher.Socket)})
	var seen error
	for deadline := time.Now().Add(answerLimit); !errors.Is(seen, unix.EMFILE) &&
		time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, seen = h.Supervisor("nobody")
	}
	again()
	if err != nil || !errors.Is(seen, unix.EMFILE) {
		t.Fatalf("connected: %v; too many open files expected within %v, last saw %v", err,
			answerLimit, seen)
	}
	unix.Close(conn) // it says nothing, and is not waited for
	newVictim(t, h)
}

// Go's own signals interrupt the supervisor wherever it is. No call may be
// forgotten for that: it would wait until the next one comes.
func TestSignalsToTheSupervisorLoseNoCall(t *testing.T) {
	v := newVictim(t, newHub(t))
	stop := make(chan struct{})
	var signals sync.WaitGroup
	defer signals.Wait()
	defer close(stop)
	signals.Go(func() {
		for {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, thread := range threads {
				if tid, err := strconv.Atoi(thread.Name()); err == nil {
					_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 200 {
		v.must("take", echild)
		many := make([]<-chan string, 8)
		for i := range many {
			many[i] = v.order("take")
		}
		for _, answer := range many {
			v.want(answer, echild)
		}
		if t.Failed() {
			return
		}
	}
}

func TestNothingStaysOpen(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	before := openFiles(t)
	for range 50 {
		answer := v.heldWait("exit 7")
		v.dead(1)
		v.must("take", "7")
		v.want(answer, echild)
	}
	if after := openFiles(t); after > before+2 {
		t.Errorf("%d open files, %d before", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// heldWait starts a child and a wait for it, and returns where the wait's
// answer will come.
func (v *victim) heldWait(script string) <-chan string {
	v.t.Helper()
	before, _ := v.Counts()
	pid, _ := v.start(script)
	answer := v.order(fmt.Sprint("wait ", pid))
	v.until("a wait", func(c Counts) bool { return c.Waits > before.Waits })
	return answer
}

// A held take may be one that does not block. What a signal makes of it depends on the
// target's handler.
func TestASignalCutsACallThatDoesNotBlock(t *testing.T) {
	for interrupts, answer := range map[bool]string{false: "none", true: unix.EINTR.Error()} {
		t.Run(answer, func(t *testing.T) {
			v := newVictim(t, newHub(t))
			if interrupts {
				v.must("interrupts", "true")
			}
			v.Set(Policy{Rule: WaiterWins})
			pid, _ := v.start("exit 3")
			v.dead(1)
			take := v.order("take")
			v.until("a take", func(c Counts) bool { return c.Takes == 1 })
			if v.Interrupts() {
				t.Error("interrupted before any signal")
			}
			v.signalEachThread(unix.SIGCHLD)
			if interrupts {
				v.want(take, answer)
			} else {
				v.until("a cut", func(c Counts) bool { return c.Cut > 0 })
			}
			v.must(fmt.Sprint("wait ", pid), "3")
			v.must("clones", echild) // one more wait4 of a thread is answered
			if got := v.Interrupts(); got != interrupts {
				c, err := v.Counts()
				t.Errorf("interrupts %v, %+v, %v", got, c, err)
			}
		})
	}
}

package seccomp

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/launcher"
)

const echild = "no child processes"

// asVictim makes the test binary a target that waits as it is told.
const asVictim = "REAPCHECK_TEST_VICTIM"

// The launcher is the first thread's to be, as in its command.
func init() {
	if filepath.Base(os.Args[0]) == launcherName {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == launcherName:
		os.Exit(launcher.Main(os.Args))
	case filepath.Base(os.Args[0]) == refuserName:
		refuserMain()
	case os.Getenv(asVictim) != "":
		victimMain()
	default:
		os.Exit(m.Run())
	}
}

// refuserName is the argv[0] by which the test binary is a security profile: it
// refuses seccomp(2) to the command that it becomes.
const refuserName = "refuser"

func refuserMain() {
	runtime.LockOSThread()
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SECCOMP, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&program))); err != nil || errno != 0 {
		panic(fmt.Sprint(err, errno))
	}
	panic(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
}

// victimMain carries out each line that it reads in a thread of its own, and
// answers with the line's first word and what came of it.
func victimMain() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGCHLD) // with a handler it interrupts
	var out sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		id, order, _ := strings.Cut(lines.Text(), " ")
		go func() {
			runtime.LockOSThread()
			result := obey(order)
			out.Lock()
			defer out.Unlock()
			fmt.Println(id, result)
		}()
	}
}

// obey returns a child's exit status, "none" where no child has ended, or what
// went wrong.
func obey(order string) string {
	word, rest, _ := strings.Cut(order, " ")
	var n int
	fmt.Sscan(rest, &n)
	switch word {
	case "start":
		return start(rest)
	case "wait":
		return wait4(n, 0)
	case "look":
		return wait4(n, unix.WNOHANG)
	case "take":
		return wait4(-1, unix.WNOHANG)
	case "take-blocking":
		return wait4(-1, 0)
	case "clones":
		return wait4(-1, unix.WNOHANG|unix.WCLONE)
	case "wait-pidfd":
		return waitid(unix.P_PIDFD, n, unix.WEXITED)
	case "wait-self":
		self, _ := unix.PidfdOpen(os.Getpid(), 0)
		return waitid(unix.P_PIDFD, self, unix.WEXITED)
	case "peek":
		return waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	case "interrupts":
		return interrupts()
	case "filter":
		return fmt.Sprint(filter(0))
	case "listener":
		return fmt.Sprint(filter(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER))
	case "pidfd":
		if self, err := os.FindProcess(os.Getpid()); err == nil { // Go's own probe comes first
			_ = self.Release()
		}
		_, err := unix.PidfdOpen(os.Getpid(), 0)
		return fmt.Sprint(err)
	}
	return "no such order: " + order
}

// interrupts takes SA_RESTART from Go's handler of SIGCHLD.
func interrupts() string {
	var now struct{ handler, flags, restorer, mask uint64 }
	size := unsafe.Sizeof(now.mask)
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), 0,
		uintptr(unsafe.Pointer(&now)), size, 0, 0)
	now.flags &^= restartCalls
	if errno == 0 {
		_, _, errno = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD),
			uintptr(unsafe.Pointer(&now)), 0, size, 0, 0)
	}
	return fmt.Sprint(errno == 0)
}

// filter installs a seccomp filter, on all threads, that allows everything.
func filter(flags uintptr) error {
	code := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	flags |= unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

func wait4(pid, options int) string {
	var status unix.WaitStatus
	got, err := unix.Wait4(pid, &status, options, nil)
	return ending(got, status.ExitStatus(), err)
}

func waitid(kind, id, options int) string {
	// A process ID and a status follow three numbers and a gap (sigaction(2)).
	var info struct {
		_           [4]int32
		pid, _, end int32
		_           [100]byte
	}
	err := unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(&info)), options, nil)
	return ending(int(info.pid), int(info.end), err)
}

func ending(pid, status int, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case pid == 0:
		return "none"
	}
	return fmt.Sprint(status)
}

// start returns the process ID and a pidfd of a shell.
func start(script string) string {
	var pidfd int
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{PidFD: &pidfd},
	})
	return fmt.Sprint(pid, " ", pidfd, " ", err)
}

// victim is a running target behind a launcher.
type victim struct {
	*Supervisor
	t       *testing.T
	cmd     *exec.Cmd
	stdin   io.Writer
	mu      sync.Mutex
	answers map[string]chan string
}

// newHub uses the test binary as the launcher.
func newHub(t *testing.T) *Hub {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h, err := Open(self)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// command is what a runtime makes of a front, with PID 1 of a namespace.
func command(h *Hub, name string, args ...string) *exec.Cmd {
	front := h.Front(name, args...)
	cmd := exec.Command(filepath.Join(front.Folder, front.Program),
		append(front.Args, "/proc/self/exe")...)
	cmd.Env = append(os.Environ(), asVictim+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	return cmd
}

func newVictim(t *testing.T, h *Hub, args ...string) *victim {
	t.Helper()
	v := startVictim(t, command(h, t.Name(), args...))
	var err error
	if v.Supervisor, err = h.Supervisor(t.Name()); err != nil {
		t.Fatal(err)
	}
	return v
}

// startVictim returns when it obeys.
func startVictim(t *testing.T, cmd *exec.Cmd) *victim {
	t.Helper()
	v := &victim{t: t, cmd: cmd, answers: map[string]chan string{}}
	stdin, err := v.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.stdin = stdin
	stdout, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Skipf("no PID namespace here: %v", err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		v.cmd.Process.Kill()
		<-ended
		v.cmd.Wait()
	})
	go func() {
		defer close(ended)
		v.listen(stdout)
	}()
	v.must("clones", echild)
	return v
}

func (v *victim) listen(stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		id, result, _ := strings.Cut(lines.Text(), " ")
		v.mu.Lock()
		if answer := v.answers[id]; answer != nil {
			answer <- result
		}
		v.mu.Unlock()
	}
}

// order gives an order and returns where its answer will come.
func (v *victim) order(order string) <-chan string {
	v.mu.Lock()
	defer v.mu.Unlock()
	id, answer := fmt.Sprint(len(v.answers)), make(chan string, 1)
	v.answers[id] = answer
	fmt.Fprintln(v.stdin, id, order)
	return answer
}

// answerLimit is far above what the answer of a program with the race detector takes that
// starts on a machine with twenty times the work it can do.
const answerLimit = time.Minute

// want waits for an answer.
func (v *victim) want(answer <-chan string, want string) {
	v.t.Helper()
	select {
	case got := <-answer:
		if got != want {
			v.t.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(answerLimit):
		v.t.Errorf("no answer within %v, wanted %q", answerLimit, want)
	}
}

func (v *victim) must(order, want string) {
	v.t.Helper()
	v.want(v.order(order), want)
}

// start starts a child of the target.
func (v *victim) start(script string) (pid, pidfd int) {
	v.t.Helper()
	select {
	case got := <-v.order("start " + script):
		if n, err := fmt.Sscan(got, &pid, &pidfd); n != 2 {
			v.t.Fatalf("start: %q: %v", got, err)
		}
	case <-time.After(answerLimit):
		v.t.Fatalf("no child started within %v", answerLimit)
	}
	return pid, pidfd
}

// until waits until the counts are as wanted.
func (v *victim) until(what string, holds func(Counts) bool) {
	v.t.Helper()
	var last Counts
	for deadline := time.Now().Add(answerLimit); time.Now().Before(deadline); time.Sleep(
		time.Millisecond) {
		if last, _ = v.Counts(); holds(last) {
			return
		}
	}
	v.t.Fatalf("%s expected within %v, last saw %+v", what, answerLimit, last)
}

// dead waits until a child of the target is a zombie.
func (v *victim) dead(n int) {
	v.t.Helper()
	for deadline := time.Now().Add(answerLimit); time.Now().Before(deadline); time.Sleep(
		time.Millisecond) {
		if dead, _, err := v.family.zombies(); err == nil && len(dead) == n {
			return
		}
	}
	v.t.Fatalf("%d zombies expected within %v", n, answerLimit)
}

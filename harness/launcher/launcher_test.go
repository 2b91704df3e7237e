package launcher

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// handOver sends through one end of a pair and receives at the other.
func handOver(t *testing.T, name string, problem error, listener int) Handover {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		defer unix.Close(pair[0])
		sent <- send(pair[0], name, problem, listener)
	}()
	h, err := Receive(pair[1])
	if err != nil {
		t.Error(err)
	}
	select {
	case err := <-sent:
		t.Errorf("sent before it was received: %v", err)
	default:
	}
	unix.Close(pair[1])
	if err := <-sent; err != nil {
		t.Error(err)
	}
	return h
}

func TestAListenerIsHandedOver(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h := handOver(t, "storm-candidate", nil, int(file.Fd()))
	if h.Name != "storm-candidate" || h.Problem != "" || h.PID != os.Getpid() {
		t.Errorf("%+v", h)
	}
	received := os.NewFile(uintptr(h.Listener), "received")
	defer received.Close()
	a, errA := file.Stat()
	b, errB := received.Stat()
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("another file arrived: %v, %v", errA, errB)
	}
}

func TestAListenerForWhichNoNumberIsFree(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	if err := unix.Sendmsg(pair[0], []byte("x\n"), unix.UnixRights(pair[0]), nil, 0); err != nil {
		t.Fatal(err)
	}
	unix.Close(pair[0])
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	if h, err := Receive(pair[1]); !errors.Is(err, unix.EMFILE) || h.Name != "x" {
		t.Errorf("%+v, error %v", h, err)
	}
}

func TestAProblemIsHandedOver(t *testing.T) {
	h := handOver(t, "storm-candidate", errors.New("not permitted"), -1)
	if h.Name != "storm-candidate" || h.Problem != "not permitted" || h.Listener != -1 {
		t.Errorf("%+v", h)
	}
}

func TestWithoutAHarnessNothingIsInstalled(t *testing.T) {
	err := prepare(filepath.Join(t.TempDir(), Socket), "x", false)
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "reach the harness at /") {
		t.Errorf("got %v", err)
	}
}

func TestExitStatusesAreTheShells(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		argv []string
		want int
	}{
		{"no command", []string{"launcher", "x"}, exitFailed},
		{"an unknown flag", []string{"launcher", "-no-such", "x", "true"}, exitFailed},
		{"a program that is not there", []string{"launcher", "x", "no-such-program"}, exitNotFound},
		{"a path that is not there", []string{"launcher", "x", "/no/such/program"}, exitNotFound},
		{"a file that is no program", []string{"launcher", "x", text}, exitNotExecutable},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Main(c.argv); got != c.want {
				t.Errorf("exit status %d, want %d", got, c.want)
			}
		})
	}
}

// A harness that has run out of files leaves the connection in the kernel's queue.
func TestAHarnessThatDoesNotAnswerIsNotWaitedForForEver(t *testing.T) {
	socket := filepath.Join(t.TempDir(), Socket)
	deaf, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	conn, err := connect(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(conn)
	if limit, err := unix.GetsockoptTimeval(conn, unix.SOL_SOCKET, unix.SO_RCVTIMEO); err != nil ||
		limit.Nano() != answerLimit.Nanoseconds() {
		t.Fatalf("limit %+v, error %v", limit, err)
	}
	if err := setLimit(conn, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := send(conn, "x", errors.New("not permitted"), -1); err == nil ||
		!strings.Contains(err.Error(), "none came") {
		t.Errorf("got %v", err)
	}
}

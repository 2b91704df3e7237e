package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func mustFeed(t testing.TB, x *Executor, command, stdin string) Result {
	t.Helper()
	result, err := x.Execute(context.Background(), Request{Command: command, Stdin: stdin})
	if err != nil {
		t.Fatalf("execute %q with %d bytes to read: %v", command, len(stdin), err)
	}
	return result
}

// everyByte is a text of so many bytes that has all of them.
func everyByte(size int) string {
	var all bytes.Buffer
	for b := 0; all.Len() < size; b++ {
		all.WriteByte(byte(b))
	}
	return all.String()
}

// cat writes what it reads: whoever writes all before it reads, or reads after that,
// waits for ever above the size of two pipes.
func TestACommandReadsWhatItIsGiven(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	for _, size := range []int{0, 1, 255, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, 5 << 20} {
		want := everyByte(size)
		if got := mustFeed(t, x, "cat; exit 7", want); got.ExitCode != 7 || string(got.Output) != want {
			t.Errorf("%d bytes: exit code %d, %d bytes came back", size, got.ExitCode, len(got.Output))
		}
	}
}

// Its end is seen by who reads for it, and two commands have an input each.
func TestInputsAreNotMixed(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	errs := make(chan error, 32)
	for i := range cap(errs) {
		go func() {
			want := strings.Repeat(strconv.Itoa(i%10), 100_000)
			got, err := x.Execute(context.Background(), Request{Command: "sleep 0.01; cat", Stdin: want})
			if err == nil && string(got.Output) != want {
				err = errors.New("another input came back")
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// Far more than a pipe holds, of which little or nothing is read: the answer does not
// wait for that, and nothing is left.
func TestAnInputThatIsNotReadHoldsNothingUp(t *testing.T) {
	x := newExecutor(t, "registry", Options{HeldStdoutGrace: time.Millisecond})
	text := strings.Repeat("line\n", 200_000)
	before := baseline(t, x)
	for _, c := range []struct{ command, output string }{
		{"exit 3", ""},
		{"read -r l; echo $l; exit 3", "line\n"},
		{"exec <&-; sleep 0.01; exit 3", ""},
	} {
		got := mustFeed(t, x, c.command, text)
		if got.ExitCode != 3 || string(got.Output) != c.output {
			t.Errorf("%s: exit code %d, output %.60q", c.command, got.ExitCode, got.Output)
		}
	}
	held := mustFeed(t, x, "exec 3<&0; sleep 60 <&3 >/dev/null 2>&1 & echo $!; exit 3", text)
	holder, err := strconv.Atoi(strings.TrimSpace(string(held.Output)))
	if held.ExitCode != 3 || err != nil {
		t.Fatalf("exit code %d, output %q", held.ExitCode, held.Output)
	}
	if err := syscall.Kill(holder, syscall.SIGKILL); err != nil {
		t.Errorf("the answer waited for who holds the input: %v", err)
	}
	wantBackTo(t, x, before)
}

// A writer that waits for its reader ends with the command, however that ends.
func TestNothingIsLeftOfInputs(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	text := everyByte(1 << 20)
	before := baseline(t, x)
	for range 20 {
		_, err := x.Execute(context.Background(),
			Request{Command: "sleep 60", Stdin: text, Timeout: time.Millisecond})
		if !errors.Is(err, ErrTimeout) {
			t.Fatalf("error %v, want ErrTimeout", err)
		}
		_, err = x.Execute(over(), Request{Command: "sleep 60", Stdin: text})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
		_, err = x.Execute(context.Background(), Request{Command: "true", Dir: "/no", Stdin: text})
		if !errors.Is(err, ErrDir) {
			t.Fatalf("error %v, want ErrDir", err)
		}
		mustFeed(t, x, "kill -9 $$", text)
	}
	wantBackTo(t, x, before)
}

// A background process that reads on finds the end of its input, and no one who holds
// the writing side.
func TestTheInputOfABackgroundProcessEnds(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	ended := filepath.Join(t.TempDir(), "ended")
	mustFeed(t, x, "exec 3<&0; { cat <&3; : >"+ended+"; } >/dev/null 2>&1 & sleep 0.01", everyByte(1<<20))
	eventually(t, "the end of the input", func() string {
		_, err := os.Stat(ended)
		if err != nil {
			return err.Error()
		}
		return ""
	})
}

// A command that is to end has some time for it. Meanwhile half of its input must not
// look like all of it.
func TestAnInputIsNotCutShortByATimeout(t *testing.T) {
	x := newExecutor(t, "registry", Options{KillGrace: 10 * time.Second})
	counted := filepath.Join(t.TempDir(), "counted")
	_, err := x.Execute(context.Background(), Request{
		// The trap is set long before the timeout, and the input is read after it.
		Command: "trap '' TERM; sleep 1.5; n=$(wc -c); echo $n >" + counted,
		Stdin:   everyByte(1 << 20), Timeout: time.Second,
	})
	if !errors.Is(err, ErrTimeout) {
		t.Fatalf("error %v, want ErrTimeout", err)
	}
	got, err := os.ReadFile(counted)
	if want := "1048576\n"; err == nil && string(got) != want {
		t.Errorf("the command counted %q, want all of its input or none", got)
	}
	if err != nil {
		t.Errorf("the command did not count within its grace: %v", err)
	}
}

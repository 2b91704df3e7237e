package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExitCodes(t *testing.T) {
	commands := []struct {
		command string
		code    int
	}{
		{"true", 0},
		{"exit 1", 1},
		{"exit 128", 128},
		{"exit 255", 255},
		{"ls /nonexistent", 2},
		{"nonexistent-command", 127},
		{"/etc/passwd", 126},
		{"kill -9 $$", 137},
		{"kill -15 $$", 143},
		{"ulimit -c unlimited; cd /tmp; kill -ABRT $$", 134},
	}
	for _, strategy := range []string{"none", "registry"} {
		t.Run(strategy, func(t *testing.T) {
			x := newExecutor(t, strategy, Options{})
			for _, c := range commands {
				if got := mustRun(t, x, c.command).ExitCode; got != c.code {
					t.Errorf("%q: exit code %d, want %d", c.command, got, c.code)
				}
			}
		})
	}
}

func TestExitCodeIgnoresCoreFlag(t *testing.T) {
	const coreFlag = 0x80
	if got := ExitCode(syscall.WaitStatus(uint32(syscall.SIGSEGV) | coreFlag)); got != 139 {
		t.Errorf("exit code %d, want 139", got)
	}
}

func TestCommandGetsDirAndEnv(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	t.Setenv("REAPCHECK_A", "outer")
	t.Setenv("REAPCHECK_B", "kept")
	result, err := x.Execute(context.Background(), Request{
		Command: "pwd; echo $REAPCHECK_A $REAPCHECK_B",
		Dir:     "/",
		Env:     map[string]string{"REAPCHECK_A": "inner"},
	})
	if want := "/\ninner kept\n"; err != nil || string(result.Output) != want {
		t.Errorf("output %q, error %v, want %q", result.Output, err, want)
	}
}

func TestDirThatCannotBeUsed(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	for _, dir := range []string{"/nonexistent", "/etc/passwd", "/etc/passwd/x"} {
		if _, err := x.Execute(context.Background(), Request{
			Command: "true",
			Dir:     dir,
		}); !errors.Is(err, ErrDir) {
			t.Errorf("%s: error %v, want ErrDir", dir, err)
		}
	}
}

func TestLongOutputIsComplete(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	result := mustRun(t, x, "head -c 5000000 /dev/zero; exit 3")
	if len(result.Output) != 5000000 || result.Truncated || result.ExitCode != 3 {
		t.Errorf("%d bytes, truncated %v, exit code %d", len(result.Output), result.Truncated,
			result.ExitCode)
	}
}

func TestOutputIsCutAtTheLimit(t *testing.T) {
	x := newExecutor(t, "registry", Options{MaxOutput: 5})
	for command, want := range map[string]Result{
		"printf 12345":          {Output: []byte("12345")},
		"printf 123456":         {Output: []byte("12345"), Truncated: true},
		"printf éàü":            {Output: []byte("éà"), Truncated: true},
		`printf '1234\377\377'`: {Output: []byte("1234\xff"), Truncated: true},
	} {
		if got := mustRun(t, x, command); string(got.Output) != string(want.Output) ||
			got.Truncated != want.Truncated {
			t.Errorf("%s: %q, truncated %v, want %q, %v", command, got.Output, got.Truncated,
				want.Output, want.Truncated)
		}
	}
}

func TestOutputIsMergedInTheOrderWritten(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	result := mustRun(t, x, "echo a; echo b >&2; echo c; echo d >&2")
	if got := string(result.Output); got != "a\nb\nc\nd\n" {
		t.Errorf("output %q", got)
	}
}

func TestRegistryMixedCommands(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	const clients, each = 16, 125
	errs := make(chan error, clients)
	for client := range clients {
		go func() { errs <- mixedCommands(x, client, each) }()
	}
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// mixedCommands runs n commands and checks that each comes back with its own
// code and its own output.
func mixedCommands(x *Executor, client, n int) error {
	forms := []string{
		"echo %[1]s; exit %[2]d",
		"echo %[1]s; exit %[2]d",
		"echo %[1]s >&2; (exit %[2]d)",
		"echo %[1]s | cat; exit %[2]d",
		"sleep 0.01; echo %[1]s; exit %[2]d",
	}
	for i := range n {
		nonce, code := fmt.Sprintf("n%d-%d", client, i), (client*n+i)%256
		command := fmt.Sprintf(forms[i%len(forms)], nonce, code)
		result, err := x.Execute(context.Background(), Request{Command: command})
		if err != nil {
			return fmt.Errorf("execute %q: %w", command, err)
		}
		if result.ExitCode != code || string(result.Output) != nonce+"\n" {
			return fmt.Errorf("%q gave %d %q", command, result.ExitCode, result.Output)
		}
	}
	return nil
}

// On a loaded machine the reading goroutine may get no CPU between a command's
// last write and the end of the grace; here it never runs at all.
func TestTakeDrainsThePipeItself(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := newOutput(r, 1<<20)
	want := strings.Repeat("x", 60_000)
	if _, err := w.WriteString(want); err != nil {
		t.Fatal(err)
	}
	if data, truncated := o.take(); string(data) != want || truncated {
		t.Errorf("took %d bytes, truncated %v, want %d", len(data), truncated, len(want))
	}
}

// A command whose input could not be opened once must not get a closed one.
func TestCommandHasAnInputWhateverBecameOfTheSharedOne(t *testing.T) {
	shared := devNull
	devNull = func() *os.File { return nil }
	defer func() { devNull = shared }()
	got := mustRun(t, newExecutor(t, "registry", Options{}), "cat; [ -e /dev/fd/0 ] && echo open")
	if string(got.Output) != "open\n" || got.ExitCode != 0 {
		t.Errorf("exit code %d, output %q, want an input that is empty", got.ExitCode, got.Output)
	}
}

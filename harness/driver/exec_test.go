package driver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
)

func TestWordsAreSplitOnce(t *testing.T) {
	for line, want := range map[string][]string{
		`docker exec {container} /bin/sh -c {script}`: {"docker", "exec", "{container}", "/bin/sh", "-c", "{script}"},
		`a 'b  c' "d e" f\ g ''`:                      {"a", "b  c", "d e", "f g", ""},
		`a $HOME *`:                                   {"a", "$HOME", "*"},
	} {
		got, err := Words(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{"", " ", "'a", `a\`} {
		if got, err := Words(line); err == nil {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func TestCheckExec(t *testing.T) {
	for line, want := range map[string]string{
		"sh -c {script}":       "",
		"sh -c":                "must hold",
		"sh -c '{script};'":    "word of its own",
		"sh {pod} -c {script}": "unknown placeholder {pod}",
	} {
		words, err := Words(line)
		if err != nil {
			t.Fatal(err)
		}
		switch err := CheckExec(words); {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func shell(t *testing.T, words ...string) *Exec {
	t.Helper()
	x, err := NewExec(words, Place{Target: driver.Target{PID: 7, Host: "127.0.0.1"}}, manyInFlight)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Whatever a command is made of, it is one argument.
func TestAPlaceholderStaysAWord(t *testing.T) {
	x := shell(t, "/bin/sh", "-c", `printf '%s|' "$@"`, "sh", "{script}", "pid={pid}")
	for _, command := range []string{"a b", `'; exit 3; "`, "$(exit 4) {pid}", "", "a\nb"} {
		got := x.Execute(t.Context(), dialect.Request{Script: command})
		if !got.Known || got.Code != 0 || got.Output != command+"|pid=7|" {
			t.Errorf("%q: %+v", command, got)
		}
	}
}

func TestWhatAProcessAnswers(t *testing.T) {
	x := shell(t, "/bin/sh", "-c", "{script}")
	for command, want := range map[string]struct {
		code   int
		output string
	}{
		"echo a; echo b >&2; exit 7": {7, "a\nb\n"},
		"kill -9 $$":                 {137, ""},
		"exit 255":                   {255, ""},
		"sleep 3 & echo x":           {0, "x\n"}, // others hold the output open
	} {
		got := x.Execute(t.Context(), dialect.Request{Script: command})
		if !got.Known || got.Code != want.code || got.Output != want.output {
			t.Errorf("%s: %+v", command, got)
		}
	}
	got := x.Execute(t.Context(), dialect.Request{Script: "pwd; echo $A", Cwd: "/", Env: map[string]string{"A": "b c"}})
	if got.Output != "/\nb c\n" {
		t.Errorf("by the shell: %+v", got)
	}
	long := x.Execute(t.Context(), dialect.Request{Script: "head -c 2000000 /dev/zero"})
	if long.Known || !strings.Contains(long.Message, "longer than 1 MiB") {
		t.Errorf("too long: known %v, %d bytes, %s", long.Known, len(long.Output), long.Message)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := x.Execute(ctx, dialect.Request{Script: "sleep 1000; :"}); !got.Hung || x.Problem() != nil {
		t.Errorf("one that never ends: %+v, problem %v", got, x.Problem())
	}
}

// A program that cannot be started, and a place that lacks what is to be filled in, are
// no verdict about a target.
func TestACommandLineThatDoesNotWork(t *testing.T) {
	x := shell(t, "/nonexistent/docker", "{script}")
	if got := x.Execute(t.Context(), dialect.Request{}); got.Known || !errors.Is(x.Problem(), ErrDriver) {
		t.Errorf("%+v, problem %v", got, x.Problem())
	}
	if _, err := NewExec([]string{"docker", "{container}", "{script}"}, Place{}, 1); !errors.Is(err, ErrDriver) ||
		!strings.Contains(err.Error(), "docker runtime") {
		t.Error(err)
	}
}

func TestGoesAround(t *testing.T) {
	for line, want := range map[string]bool{
		"docker exec {container} sh -c {script}": true, "nsenter -t {pid} -p sh -c {script}": true,
		"mycli --url={url} {script}": false,
	} {
		if got := GoesAround(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

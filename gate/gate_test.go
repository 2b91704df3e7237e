package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// An own test of a daemon, in the folder of its package.
func ExampleCheck() {
	_ = func(t *testing.T) {
		Check(t, Binary("./mydaemon", "--listen", "0.0.0.0:8080"), Dialect("mine.yaml"),
			Waivers("known.yaml"))
	}
}

// standIn is a command that leaves what it is told and keeps its arguments.
func standIn(t *testing.T, verdict string, status int) (path, argv string) {
	t.Helper()
	dir := t.TempDir()
	path, argv = filepath.Join(dir, "reapcheck"), filepath.Join(dir, "argv")
	leave := ""
	if verdict != "" {
		leave = fmt.Sprintf("mkdir -p $d/run; ln -s run $d/latest; echo '%s' >$d/run/verdict.json",
			verdict)
	}
	script := fmt.Sprintf(
		"#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s\necho TOKEN is $TOKEN\nd=${2#--results=}\n%s\nexit %d\n", argv, leave, status)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, argv
}

// noted is a test that may fail.
type noted struct {
	testing.TB
	failed string
}

func (n *noted) Helper()                  {}
func (n *noted) Logf(string, ...any)      {}
func (n *noted) Context() context.Context { return context.Background() }
func (n *noted) Fatalf(format string, args ...any) {
	n.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func checkWith(options ...Option) string {
	n := &noted{}
	done := make(chan bool)
	go func() {
		defer close(done)
		Check(n, options...)
	}()
	<-done
	return n.failed
}

func TestCheckPassesOnAPassOnly(t *testing.T) {
	const scenario = `,"scenarios":[{"id":"storm","verdict":"fail","reason":"3 lost"}]`
	for _, c := range []struct {
		name, verdict string
		status        int
		want          string
	}{
		{"pass", `{"verdict":"pass"}`, 0, ""},
		{"fail", `{"verdict":"fail"` + scenario + `}`, 1, "storm: fail: 3 lost"},
		{"inconclusive", `{"verdict":"inconclusive","problem":"no engine"}`, 3,
			"problem: no engine"},
		{"a pass with another status", `{"verdict":"pass"}`, 3, "exit status 3"},
		{"no verdict", `{}`, 0, "verdict "},
		{"no JSON", `pass`, 0, "read verdict"},
		{"no results", "", 64, "left no results"},
	} {
		path, _ := standIn(t, c.verdict, c.status)
		if got := checkWith(Command(path), Results(t.TempDir()),
			Binary("/bin/true")); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	if got := checkWith(Command("/nowhere/reapcheck"), Results(t.TempDir())); !strings.Contains(got,
		"no such file") {
		t.Errorf("no command: %q", got)
	}
}

func TestOptionsBecomeFlags(t *testing.T) {
	path, argv := standIn(t, `{"verdict":"pass"}`, 0)
	t.Setenv("REAPCHECK", path)
	result, err := Run(t.Context(), Results(t.TempDir()), Binary("./d", "--listen", "a b"),
		Env("TOKEN", "s3cret"), Tier("standard"), Only("storm", "idle"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(argv)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\n--tier=quick\n")
	const want = "--binary=./d\n--env=TOKEN\n--tier=standard\n--only=storm\n--only=idle\n--\n--listen\na b\n"
	if rest != want || !strings.HasPrefix(string(raw), "gate\n--results=") ||
		strings.Contains(string(raw), "s3cret") {
		t.Errorf("%s", raw)
	}
	if result.Verdict != Pass || !strings.Contains(result.Output, "TOKEN is s3cret") {
		t.Errorf("%+v", result)
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

func TestUsageErrorsSayWhatToGive(t *testing.T) {
	for line, want := range map[string]string{
		"report":                  "as in: reapcheck report results/latest",
		"repeat":                  "give a scenario",
		"repeat a b c":            "3 arguments were given",
		"merge":                   "give the folders of shards",
		"dialect show":            "as in: reapcheck dialect show process-execute",
		"gate":                    "name one by --binary, --image or --url",
		"gate --image=a --url=b":  "2 targets were given",
		"gate --url=127.0.0.1:80": `the URL "127.0.0.1:80" is invalid`,
		"gate --listen=:80":       "write it after --",
		"gate -l :80":             "write it after --",
		"gate --factor=much":      "invalid argument",
	} {
		root := newRoot()
		root.SetArgs(strings.Fields(line))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		err := root.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
}

func TestAForeignFlagIsSuggestedWhereTargetsTakeFlags(t *testing.T) {
	root := newRoot()
	root.SetArgs([]string{"report", "--listen=:80"})
	if err := root.ExecuteContext(t.Context()); err == nil || strings.Contains(err.Error(), "--:") ||
		strings.Contains(err.Error(), "after --") {
		t.Errorf("got %v", err)
	}
}

func TestATargetWhereNobodyListensIsNotAskedInADialect(t *testing.T) {
	d, err := dialect.Load("process-execute")
	if err != nil {
		t.Fatal(err)
	}
	o := options{candidate: target.Target{URL: "http://127.0.0.1:1", Dialect: d}}
	err = o.fitsDialect(t.Context(), nil)
	if !errors.Is(err, sandbox.ErrTarget) || !strings.Contains(err.Error(), "nothing answers at") {
		t.Errorf("got %v", err)
	}
}

func TestATargetThatOnlyItsSandboxReachesIsToldSo(t *testing.T) {
	problem := errors.New("not ready")
	fits := detected{Best: "code", Dialects: []dialect.Guess{{Dialect: "code"}}}
	for spoken, want := range map[string]string{
		"code": "let it listen on 0.0.0.0",
		"sse":  "the dialect code fits",
	} {
		o := options{candidate: target.Target{Binary: "x", Dialect: dialect.Dialect{Name: spoken}}}
		err := o.explained(problem, []detected{fits})
		if !errors.Is(err, problem) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", spoken, err, want)
		}
	}
}

// unseen is a sandbox whose processes cannot be seen, or which has ended.
type unseen struct {
	sandbox.Sandbox
	done chan struct{}
}

func (u unseen) PID() int              { return 0 }
func (u unseen) Done() <-chan struct{} { return u.done }

func TestATargetThatHasEndedIsNotCalledUnseen(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	if err := awaitListening(t.Context(), unseen{done: ended}); !errors.Is(err, sandbox.ErrEnded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := awaitListening(ctx, unseen{}); !errors.Is(err, sandbox.ErrAsking) {
		t.Errorf("got %v", err)
	}
}

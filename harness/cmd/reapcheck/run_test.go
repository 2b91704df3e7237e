package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// An interrupt is no excuse for what went wrong before it, and a failure stays one.
func TestAnInterruptHidesNoProblem(t *testing.T) {
	full := errors.New("no space left on device")
	for _, c := range []struct {
		name    string
		before  error
		verdict trial.Verdict
		status  int
		said    string
	}{
		{"nothing else", nil, trial.Inconclusive, exitInconclusive, "interrupted"},
		{"what it cut short", fmt.Errorf("start storm: %w", context.Canceled), trial.Inconclusive,
			exitInconclusive, "interrupted"},
		{"a problem", full, trial.Inconclusive, exitInfrastructure, full.Error()},
		{"a problem and a failure", full, trial.Fail, exitFail, full.Error()},
	} {
		problem := interrupted(c.before)
		var e exit
		if !errors.As(verdictStatus(c.verdict, problem), &e) || e.status != c.status ||
			!strings.Contains(problem.Error(), c.said) {
			t.Errorf("%s: exit status %d, problem %v", c.name, e.status, problem)
		}
	}
	if err := verdictStatus(trial.Inconclusive,
		errors.New("interrupted")); err.(exit).status != exitInfrastructure {
		t.Errorf("a problem of the same text: %v", err)
	}
}

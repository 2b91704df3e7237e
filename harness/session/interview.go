package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Interview makes sure that the candidate's dialect fits before a thousand
// trials are judged by it: a path that is not there is not a defect. What was
// asked and understood is left in interview.txt. A target that breaks down over
// the questions is left to the scenarios.
func (s *Session) Interview(ctx context.Context) error {
	a := &runningArm{Arm: Arm{Name: "candidate", Role: trial.Candidate}, session: s, scenario: "interview", target: s.Candidate}
	sb, err := a.launch(ctx, a.asked())
	if err != nil {
		return fmt.Errorf("start candidate: %w", err)
	}
	speaker := client.New(sb.URL(), s.Candidate.Dialect, 1, sandbox.Transport(sb))
	defer speaker.Close()
	all := dialect.Try(ctx, s.Candidate.Dialect, speaker)
	ended := sb.Ended()
	err = errors.Join(s.keepInterview(all), sb.Stop(context.WithoutCancel(ctx)))
	s.sayWhatDiffers(all)
	if err != nil || ended != "" || ctx.Err() != nil || dialect.Fits(all) {
		return err
	}
	d := s.Candidate.Dialect
	return fmt.Errorf("%w: dialect %s understands no exit code in what comes back from %s %s: %s; see reapcheck dialect --help",
		sandbox.ErrTarget, d.Name, d.Request.Method, d.Request.Path, lastNotUnderstood(all))
}

func lastNotUnderstood(all []dialect.Attempt) string {
	for _, e := range slices.Backward(all) {
		if why, found := strings.CutPrefix(e.Understood, "not understood: "); found {
			return why
		}
	}
	return all[len(all)-1].Understood
}

// sayWhatDiffers tells of a dialect that may fit in part. It is no verdict: a
// target that loses exit codes may lose some here.
func (s *Session) sayWhatDiffers(all []dialect.Attempt) {
	if !dialect.Fits(all) {
		return
	}
	for _, e := range all {
		if e.OK {
			continue
		}
		s.Progress.Say("dialect %s, %s: wanted %s, understood %s", s.Candidate.Dialect.Name, e.Asked, e.Wanted, e.Understood)
		if hint := e.Hint(s.Candidate.Dialect); hint != "" {
			s.Progress.Say("  %s", hint)
		}
	}
}

func (s *Session) keepInterview(all []dialect.Attempt) error {
	var text strings.Builder
	for _, e := range all {
		fmt.Fprintf(&text, "%s: %s\n  wanted: %s\n  understood: %s\n  came: %s\n", e.Asked, e.Script, e.Wanted, e.Understood, e.Came)
	}
	if err := os.WriteFile(results.DialectCheck(s.Folder), []byte(printable.Escape(text.String())), 0o644); err != nil {
		return fmt.Errorf("write interview: %w", err)
	}
	return nil
}

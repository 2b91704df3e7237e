package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// CheckDialect makes sure that the candidate's dialect fits before a thousand
// trials are judged by it: a path that is not there is not a defect. What was
// asked and understood is left in dialect-check.txt. A target that breaks down over
// the questions is left to the scenarios.
func (s *Session) CheckDialect(ctx context.Context) error {
	a := &runningArm{Arm: Arm{Name: "candidate", Role: trial.Candidate}, session: s,
		scenario: "dialect-check", target: s.Candidate}
	sb, err := a.launch(ctx, a.asked())
	if err != nil {
		return fmt.Errorf("start candidate: %w", err)
	}
	asking, err := speaker.Open(ctx, s.Candidate, sb, 1)
	if err != nil {
		return errors.Join(err, sb.Stop(context.WithoutCancel(ctx)))
	}
	all := dialect.Try(ctx, s.Candidate.Dialect, asking)
	s.IgnoresInput = dialect.IgnoresInput(all)
	if dialect.NoBytes(all) {
		s.Candidate.Dialect = s.Candidate.Dialect.WithoutBytes()
	}
	if !dialect.Fits(all) { // it may have ended, which shows a little later
		sandbox.EndsWithin(ctx, sb, s.Patience(endReport))
	}
	ended := sb.Ended()
	err = errors.Join(s.keepAttempts(all), asking.Close(), sb.Stop(context.WithoutCancel(ctx)))
	if ended == "" {
		err = errors.Join(asking.Problem(), err)
	}
	s.sayWhatDiffers(all)
	if err != nil || ended != "" || ctx.Err() != nil || dialect.Fits(all) {
		return err
	}
	d := s.Candidate.Dialect
	if !d.OverHTTP() {
		return fmt.Errorf("%w: %s had no exit code from it: %s; see reapcheck driver check --help",
			sandbox.ErrTarget, d.Called(), lastNotUnderstood(all))
	}
	if last := all[len(all)-1]; last.Hung {
		return fmt.Errorf("%w: it does not answer %s: %s: either it hangs, or dialect %s is not "+
			"how it is asked; see reapcheck dialect --help",
			sandbox.ErrTarget, d.Asked(), last.Understood, d.Name)
	}
	return fmt.Errorf(
		"%w: dialect %s understands no exit code in what comes back from %s: %s; "+
			"see reapcheck dialect --help",
		sandbox.ErrTarget, d.Name, d.Asked(), lastNotUnderstood(all))
}

// endReport is how long a sandbox may take to say that its target has ended.
const endReport = time.Second

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
		s.Progress.Say("%s may not fit: to %q it wanted %s, and understood %s",
			s.Candidate.Dialect.Called(), e.Asked, e.Wanted, e.Understood)
		if hint := e.Hint(s.Candidate.Dialect); hint != "" {
			s.Progress.Say("  %s", hint)
		}
	}
}

func (s *Session) keepAttempts(all []dialect.Attempt) error {
	var text strings.Builder
	for _, e := range all {
		fmt.Fprintf(&text, "%s: %s\n  wanted: %s\n  understood: %s\n  came: %s\n", e.Asked,
			e.Script, e.Wanted, e.Understood, e.Came)
	}
	if err := os.WriteFile(results.DialectCheck(s.Folder), []byte(printable.Escape(text.String())),
		0o644); err != nil {
		return fmt.Errorf("write dialect check: %w", err)
	}
	return nil
}

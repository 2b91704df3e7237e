package proof

import (
	"errors"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestARunThatBreaksAfterItsRecordingsIsNoPass(t *testing.T) {
	ended := errors.New("exit status 3")
	for _, c := range []struct {
		verdict      trial.Verdict
		loadErr, err error
		want         string
	}{
		{trial.Pass, nil, nil, ""},
		{trial.Fail, nil, ended, ""},
		{trial.Inconclusive, nil, ended, ""},
		{trial.Pass, nil, ended, "exit status 3: disk full"},
		{trial.Pass, results.ErrNoRun, nil, "no run.json: disk full"},
	} {
		err := apartProblem(c.verdict, c.loadErr, c.err, []byte("disk full"))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

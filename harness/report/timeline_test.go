package report

import (
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// What the events of a bad trial in a real run say, in their order.
func storyOf(t *testing.T, scenario, armName string, index int) (string, []string) {
	t.Helper()
	for _, f := range failRun(t).Findings {
		for _, a := range f.Arms {
			for _, r := range a.Bad {
				if f.ID == scenario && a.Plan.Arm == armName && r.Index == index {
					log, _ := logOf(a, r)
					tl := newTimeline(r, log)
					var told []string
					for _, e := range tl.Events {
						told = append(told, e.Lane+": "+e.Text)
					}
					return tl.Story, told
				}
			}
		}
	}
	t.Fatal("no such trial")
	return "", nil
}

func TestTimelineOfAReaperThatComesLate(t *testing.T) {
	story, told := storyOf(t, "late-publish", "candidate-300ms", 0)
	want := []string{"client: request sent", "waiter: handler began",
		"waiter: handler answered, HTTP 200", "client: answer received: no exit code",
		"child: had ended at the latest by then; when is not recorded",
		`reaper: said "reaped managed process": PID 15, status 191`}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
	if !strings.Contains(story, "the client did not get: 191") ||
		!strings.Contains(story, "after the answer") {
		t.Errorf("story: %s", story)
	}
}

func TestTimelineOfAChildThatNobodyKnew(t *testing.T) {
	story, told := storyOf(t, "exit-codes", "candidate", 160)
	if !strings.Contains(strings.Join(told, "\n"),
		`reaper: said "reaped zombie process": PID 177, status 157`) ||
		!strings.Contains(story, "before the answer") {
		t.Errorf("%s\n%s", story, strings.Join(told, "\n"))
	}
}

// Only the first bad trials have logs of their own; a neighbour's may tell too.
func TestTimelineFromANeighboursLog(t *testing.T) {
	_, told := storyOf(t, "late-publish", "candidate-300ms", 3)
	if len(told) != 6 {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
}

func TestTimelineWithoutALog(t *testing.T) {
	sent := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		r   trial.Record
		log string
	}{
		"nothing kept": {trial.Record{Want: 3, Micros: 5000, Sent: sent}, ""},
		"a foreign log": {trial.Record{
			Want:   3,
			Micros: 5000,
			Sent:   sent,
		}, "Successfully reaped zombie process [PID: 85], Status: 3\n"},
		"another time": {trial.Record{
			Want:   3,
			Micros: 5000,
			Sent:   sent,
		},
			"time=2026-11-23T03:21:20.969Z level=INFO msg=\"reaped zombie process\" pid=177 status=3\n"},
		"another status": {trial.Record{
			Want:   3,
			Micros: 5000,
			Sent:   sent,
		}, "time=" + sent.Format(time.RFC3339) +
			" msg=\"reaped zombie process\" pid=177 status=4\n"},
		"no wall clock": {trial.Record{
			Want:   3,
			Micros: 5000,
		}, "time=" + sent.Format(time.RFC3339) +
			" msg=\"reaped zombie process\" pid=177 status=3\n"},
	} {
		tl := newTimeline(c.r, parseLog([]byte(c.log)))
		if tl.known() || len(tl.Events) != 2 || tl.Story != "" {
			t.Errorf("%s: %+v", name, tl.Events)
		}
	}
}

func TestParseAttrs(t *testing.T) {
	got := parseAttrs(
		`time=2026-11-23T03:21:20.969Z level=INFO msg="reaped \"zombie\" process" pid=177 broken"=1 after=2`)
	for key, want := range map[string]string{"level": "INFO", "msg": `reaped "zombie" process`,
		"pid": "177", "after": ""} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	if got := parseAttrs(`msg="no end`); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

package report

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
)

func TestPercent(t *testing.T) {
	for rate, want := range map[float64]string{
		0: "0%", 1: "100%", 0.5: "50%", 0.9999: ">99.9%", 0.995: "99.5%", 0.1234: "12%", 0.0064: "0.64%", 0.000002: "0.0002%",
	} {
		if got := percent(rate); got != want {
			t.Errorf("%v: %s, want %s", rate, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := wrap("one two  three averyveryverylongword end", 12, "  ")
	want := "  one two\n  three\n  averyveryverylongword\n  end\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRepeat(t *testing.T) {
	for _, c := range []struct {
		argv []string
		id   string
		want string
	}{
		{[]string{"bin/reapcheck", "repro", "--runtime=auto", "--seed=7", "--only=a", "--only=b"}, "b", "bin/reapcheck repro --runtime=docker --seed=7 --only=b"},
		{[]string{"reapcheck", "gate", "--skip=x", "--image=my image", "--", "--only=its", "it's"}, "b", `reapcheck gate '--image=my image' --only=b -- --only=its 'it'\''s'`},
		{[]string{"reapcheck", "gate", "--image=x", "--", "--its", "own"}, "b", "reapcheck gate --image=x --only=b -- --its own"},
		{[]string{"reapcheck", "repro", "--only=a"}, "", "reapcheck repro --only=a"},
		{[]string{"reapcheck", "$(reboot)", ""}, "", "reapcheck '$(reboot)' ''"},
	} {
		run := results.Run{Info: results.Info{Argv: c.argv, Runtime: "docker"}}
		if got := repeat(run, c.id); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if strings.Join(c.argv, " ") != strings.Join(run.Info.Argv, " ") {
			t.Error("the run's own command line was changed")
		}
	}
}

package results

import (
	"strings"
	"testing"
)

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
		run := Run{Info: Info{Argv: c.argv, Runtime: "docker"}}
		if got := run.Repeat(c.id); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if strings.Join(c.argv, " ") != strings.Join(run.Info.Argv, " ") {
			t.Error("the run's own command line was changed")
		}
	}
}

// A failure is repeated without what would accept it.
func TestRepeatLeavesTheWaiverOut(t *testing.T) {
	run := Run{Info: Info{Argv: []string{"reapcheck", "gate", "--waivers=known.yaml", "--seed=1"}}}
	if got := run.Repeat("storm"); got != "reapcheck gate --seed=1 --only=storm" {
		t.Error(got)
	}
	if got := run.Repeat(""); !strings.Contains(got, "--waivers=known.yaml") {
		t.Error(got)
	}
}

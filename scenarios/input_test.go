package scenarios

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What a daemon must give back is what a shell of this machine does, by a pipe whose writer
// nobody waits for.
func TestEveryInputIsReadAsPromised(t *testing.T) {
	inputs := inputs(time.Second)
	for i, f := range inputs {
		t.Run(f.kind, func(t *testing.T) {
			t.Parallel()
			c := fedBy(inputs)(i, load.Random(1, "input", i))
			shell := exec.Command("/bin/sh", "-c", c.Script)
			if c.Stdin != nil {
				shell.Stdin = strings.NewReader(*c.Stdin)
			}
			out, _ := shell.Output()
			answer := trial.Answer{
				Known: true, Code: shell.ProcessState.ExitCode(), Output: string(out),
			}
			if outcome, why := trial.Classify(c.Want, answer); outcome != trial.OK {
				t.Errorf("%s: %s", c.Script, why)
			}
		})
	}
}

// No input and an empty one are two kinds, and only one of them is said.
func TestAnEmptyInputIsSaid(t *testing.T) {
	said, inputs := map[string]bool{}, inputs(time.Second)
	for i := range inputs {
		c := fedBy(inputs)(i, load.Random(1, "input", i))
		if c.Stdin == nil || *c.Stdin == "" {
			said[c.Kind] = c.Stdin != nil
		}
	}
	if len(said) != 2 || !said["given-nothing"] || said[notGiven] {
		t.Errorf("without a text: %v", said)
	}
}

// What a small limit of requests refuses has a cause of its own, and nothing shorter.
func TestOnlyALongInputIsLimited(t *testing.T) {
	all := append(inputs(time.Second), overtimeInputs...)
	for i := range all {
		c := fedBy(all)(i, load.Random(1, "input", i))
		refused := trial.Way{Outcome: trial.Error, Kind: c.Kind, Trials: 1}
		got := results.CauseOf(evidence.Evidence{Symptom: trial.Symptom(trial.Error), Way: refused})
		long := c.Stdin != nil && len(*c.Stdin) >= 64<<10-1
		if (got.ID == "input-limited") != long {
			t.Errorf("%s: refused for %s", c.Kind, got.ID)
		}
	}
}

// The baseline fails by what it does, and not for another reason.
func TestTheBaselineLosesWhatIsBehindOneBlock(t *testing.T) {
	longer := 0
	for i := range blocks {
		if c := fedBy(blocks)(i, load.Random(1, "input", i)); len(*c.Stdin) > 4<<10 {
			longer++
		}
	}
	if longer == 0 || longer == len(blocks) {
		t.Errorf("%d of %d are longer than the block of the baseline", longer, len(blocks))
	}
}

// Who cannot be given an input is not judged by it, and told why.
func TestWhoCanBeGivenAnInput(t *testing.T) {
	chosen, err := Select([]string{"input", "texts"}, Foreign)
	if err != nil {
		t.Fatal(err)
	}
	builtIn := func(name string) dialect.Dialect {
		d, err := dialect.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		dialect dialect.Dialect
		why     string
	}{
		{builtIn("process-execute"), ""},
		{builtIn("code"), ""},
		{dialect.Spoken("mine", 1, dialect.Can{Output: true, Merged: true, Stdin: true}), ""},
		{builtIn("sse"), "since the dialect sse has no field for a command's input"},
		{dialect.Spoken("mine", 1, dialect.Can{Output: true, Merged: true}),
			"since the driver mine has no field for a command's input"},
	} {
		s := planning(t, true)
		s.Candidate = target.Target{Dialect: c.dialect}
		sayable, why := Sayable(s, chosen)
		if why["input"] != c.why || why["texts"] != "" || (len(sayable) == 2) != (c.why == "") {
			t.Errorf("%s: left out are %q", c.dialect.Name, why)
		}
	}
}

// Who ignores the input by the default dialect may never have heard of it.
func TestWhoIgnoresInputsIsLeftAlone(t *testing.T) {
	chosen, err := Select([]string{"input", "texts", "leaks"}, Foreign)
	if err != nil {
		t.Fatal(err)
	}
	for _, ignores := range []bool{false, true} {
		s := &session.Session{Runtime: newRuntime(t), Candidate: target.Reference("registry"),
			IgnoresInput: ignores}
		fed, why := Unfed(s, chosen)
		if (why["input"] != "") != ignores || len(fed)+len(why) != 3 || len(why) > 1 {
			t.Errorf("it ignores them: %v; left out are %q", ignores, why)
		}
	}
}

// The sums are those of the command.
func TestChecksumsAreThoseOfCksum(t *testing.T) {
	if _, err := exec.LookPath("cksum"); err != nil {
		t.Skip(err)
	}
	for _, text := range []string{
		"", "a", "\x00", filled("x", 255), filled("x", 256), filled("x", 70_001),
	} {
		cksum := exec.Command("cksum")
		cksum.Stdin = strings.NewReader(text)
		if out, err := cksum.Output(); err != nil || string(out) != checksum(text) {
			t.Errorf("%d bytes: cksum says %q, we %q, %v", len(text), out, checksum(text), err)
		}
	}
}

// Who connects beside the commands must know where: the others are tried without.
func TestWhatNeedsToKnowWhereTheTargetListens(t *testing.T) {
	chosen, err := Select([]string{"many-in-flight", "out-of-files", "speechless", "stopping", "storm"},
		Foreign)
	if err != nil {
		t.Fatal(err)
	}
	for port, left := range map[int]int{0: 2, 7070: 0} {
		s := planning(t, true)
		s.Candidate.Dialect = dialect.Spoken("mine", port, dialect.Can{
			Output: true, Merged: true, Timeout: true, HangUp: true,
		})
		sayable, why := Sayable(s, chosen)
		if len(why) != left || len(sayable)+left != len(chosen) ||
			(why["speechless"] == "") != (why["out-of-files"] == "") {
			t.Errorf("port %d: left out are %q", port, why)
		}
	}
}

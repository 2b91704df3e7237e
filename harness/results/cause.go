package results

import "github.com/reapcheck/reapcheck/harness/trial"

// Cause is why daemons go wrong, in a way that can show in many scenarios.
type Cause struct {
	ID string
	// Level is how much it weighs; empty means as much as its scenario.
	Level trial.Level
	// Title says what is wrong with the daemon, in a sentence.
	Title string
	// Look says where in the daemon to look for it.
	Look string
	// Choice is the word by which a dialect declares it; empty where nobody can choose it.
	Choice string
	// under is a stronger cause: where that one was shown in the same run, this one tells
	// nothing of its own.
	under string

	explains func(e Evidence) bool
}

// CauseOf is what the evidence points to. Something always is: in the end the symptom.
func CauseOf(e Evidence) Cause {
	for _, c := range causes {
		if c.explains(e) {
			return c
		}
	}
	return unknownCause
}

// Choices are all words that a dialect can declare.
func Choices() []string {
	var words []string
	seen := map[string]bool{"": true}
	for _, c := range causes {
		if !seen[c.Choice] {
			seen[c.Choice] = true
			words = append(words, c.Choice)
		}
	}
	return words
}

// unknownCause is what no cause explains: a check that is new, say.
var unknownCause = Cause{
	ID:       "unexplained",
	Title:    "A promise about the sandbox is not kept.",
	Look:     "The check says what was looked at.",
	explains: func(Evidence) bool { return true },
}

// otherwise is the same cause where its evidence is weaker than that of another.
func (c Cause) otherwise(under string, explains func(Evidence) bool) Cause {
	c.under, c.explains = under, explains
	return c
}

// reaperHad is the cause that most others have to stand beside.
const reaperHad = "reaper-had-status"

var (
	// bySignal are commands that a signal ends.
	bySignal = []string{"killed", "terminated", "segmentation fault", "aborted", "interrupt",
		"user defined signal 1", "core", "signals", "writes", "long", "until-terminated"}
	// tooLong are commands of 100 KB and more.
	tooLong = []string{"too-long", "very-long", "phantom"}
	// notToStart are commands that nothing can start.
	notToStart = []string{"cwd-missing", "cwd-is-file", "nul", "cannot-start", "too-long"}
	// outlives are commands that outlive their timeout.
	outlives = []string{"overtime-", "resists-", "times-out", "ends-when-asked"}
	// hangsUp are those whose client goes away.
	hangsUp = []string{"abandoned", "abandoned-", "hangs-up", "gone-with-more-behind",
		"heir-abandoned"}
	// settings are looks at what a daemon may have changed for itself.
	settings = []string{"umask", "limits", "priority", "processors"}
	// asSet are commands that look at their environment or folder.
	asSet = []string{"value-", "no-value", "like-numbers", "names", "many", "folder",
		"folder-and-variable", "no-folder-again", "not-set-again", "own-wins"}
)

// stopSignals is how the name of a fault begins that sends a signal to PID 1.
var stopSignals = []string{"terminated at", "interrupt at"}

// kernel's default for a pipe, and the least that a limit of outputs is believed to be.
const pipeBytes = 64 << 10

package trial

import (
	"fmt"
	"slices"
	"strings"
)

// Level is how much a failure weighs. The zero Level is of what was recorded before there
// were levels; it weighs as much as Must.
type Level string

const (
	// Must: no correct daemon may do otherwise.
	Must Level = "must"
	// Should: what a careful daemon does.
	Should Level = "should"
	// Advice: a choice that has a price.
	Advice Level = "advice"
)

// Levels are all that there are, the heaviest first.
var Levels = []Level{Must, Should, Advice}

// ParseLevel reads a level's word.
func ParseLevel(word string) (Level, error) {
	if !slices.Contains(Levels, Level(word)) {
		names := make([]string, len(Levels))
		for i, l := range Levels {
			names[i] = string(l)
		}
		return "", fmt.Errorf("unknown level %q: choose from %s", word, strings.Join(names, ", "))
	}
	return Level(word), nil
}

// Rank orders levels, the heaviest first.
func (l Level) Rank() int { return max(0, slices.Index(Levels, l)) }

// Within says whether a failure of this level fails a run whose limit is that one. A run
// without a limit fails by all.
func (l Level) Within(limit Level) bool { return limit == "" || l.Rank() <= limit.Rank() }

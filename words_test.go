package reapcheck_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// givenUp is a word that has had a second meaning, or a twin. What to say instead
// stands in docs/words.md.
type givenUp struct {
	word    string         // as docs/words.md has it
	pattern *regexp.Regexp // where it is meant
	below   []string       // folders in which it is looked for; none are all
}

var wordsGivenUp = []givenUp{
	{
		word: "control",
		pattern: regexp.MustCompile(
			"\\bcontrols?\\b(?: (?:group|message|characters?|`GROUP`)|\\W)?|Controls?(Must|Name|Say|That)"),
		below: []string{
			"README.md", "docs", "fixtures/programs", "harness/bench", "harness/check",
			"harness/cmd",
			"harness/compare", "harness/machine", "harness/merge", "harness/proof",
			"harness/report", "harness/results", "harness/session", "harness/target",
			"harness/trial", "scenarios",
		},
	},
	{word: "disarm", pattern: regexp.MustCompile(`(?i)\b(dis)?armed\b|\bdisarms?\b|\.Arm\(ctx`)},
	{word: "steering", pattern: regexp.MustCompile(`(?i)\bsteering\b`)},
	{word: "together", pattern: regexp.MustCompile(`\bfault\.Together\b`)},
	{word: "syscallhold", pattern: regexp.MustCompile(`\bsyscallhold\b`)},
	{word: "plaintext", pattern: regexp.MustCompile(`\bplaintext\b`)},
	{
		word:    "interview",
		pattern: regexp.MustCompile(`(?i)\binterview`),
	},
	{word: "mutant", pattern: regexp.MustCompile(`harness/(mutant|document|interview)\b`)},
	{
		word:    "target, arm, in a bench",
		pattern: regexp.MustCompile(`"targets?"|"arm"`),
		below:   []string{"harness/bench", "harness/results/schema/bench.json"},
	},
	{
		word:    "finding",
		pattern: regexp.MustCompile(`\bknown findings?\b`),
	},
	{word: "cacheExitStatus", pattern: regexp.MustCompile(`\bcacheExitStatus\b`)},
	{word: "ProcessRegistry", pattern: regexp.MustCompile(`\bProcessRegistry\b`)},
	{
		word:    "settle",
		pattern: regexp.MustCompile(`\bsettle`),
		below:   []string{"harness/cmd", "harness/machine", "harness/fault"},
	},
	{
		word:    "turned-1",
		pattern: regexp.MustCompile(`\bturned-\d`),
	},
}

// historic files speak of what was, and of the words themselves.
var historic = []string{"CHANGELOG.md", "LICENSE", "docs/decisions.md", "docs/words.md",
	"words_test.go"}

func TestWordsThatWereGivenUp(t *testing.T) {
	files := trackedFiles(t)
	for _, w := range wordsGivenUp {
		for path, text := range files {
			if len(w.below) > 0 && !below(path, w.below) {
				continue
			}
			for n, line := range strings.Split(text, "\n") {
				for _, found := range w.pattern.FindAllString(line, -1) {
					if !allowed(found) {
						t.Errorf("%s:%d: %q was given up, see docs/words.md: %s", path, n+1, w.word,
							strings.TrimSpace(line))
					}
				}
			}
		}
	}
}

// allowed are the kernel's and the network's own terms.
func allowed(found string) bool {
	for _, term := range []string{"control group", "control message", "control character",
		"control `GROUP`"} {
		if strings.HasPrefix(found, term) {
			return true
		}
	}
	return false
}

func TestWordsThatWereGivenUpAreExplained(t *testing.T) {
	text, err := os.ReadFile("docs/words.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Given up")
	if !ok {
		t.Fatal("docs/words.md has no table of them")
	}
	for _, w := range wordsGivenUp {
		if !strings.Contains(table, w.word) {
			t.Errorf("docs/words.md does not say what to say for %q", w.word)
		}
	}
}

// trackedFiles are the texts that are kept in the repository, but what is historic and
// what tests compare with.
func trackedFiles(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard").Output()
	if err != nil {
		t.Skip("this is not a checkout: ", err)
	}
	files := map[string]string{}
	for _, path := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		if slices.Contains(historic, path) || strings.Contains(path, "testdata/") {
			continue
		}
		if text, err := os.ReadFile(path); err == nil {
			files[path] = string(text)
		}
	}
	return files
}

func below(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
	})
}

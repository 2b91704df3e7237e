package reapcheck_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

func dialectsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/dialects.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What the page shows can be copied.
func TestExamplesOfDialectsAreDialects(t *testing.T) {
	blocks := strings.Split(dialectsPage(t), "```yaml\n")[1:]
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if _, err := dialect.Parse("docs/dialects.md", []byte(text)); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	if len(blocks) < 3 {
		t.Errorf("%d examples", len(blocks))
	}
}

// The table of the field has all that is spoken, and each row says by what.
func TestTheFieldIsTold(t *testing.T) {
	_, field, _ := strings.Cut(dialectsPage(t), "## The field")
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| (dialect `([a-z0-9-]+)`|driver) \\|").
		FindAllStringSubmatch(field, -1)
	nameless := []string{"code", "sse", "start-500", "words"}
	spoken := slices.Clone(nameless)
	for _, row := range rows {
		if row[2] != "" {
			spoken = append(spoken, row[2])
		}
	}
	slices.Sort(spoken)
	if !slices.Equal(spoken, dialect.BuiltIn()) {
		t.Errorf("the page has %v, built in are %v", spoken, dialect.BuiltIn())
	}
	if by := len(spoken) - len(nameless); len(rows) != 24 || by != 17 {
		t.Errorf("%d rows, %d by dialect: the page's sentence says 24 and 17", len(rows), by)
	}
}

package report

import (
	"bytes"
	_ "embed" // for the page's template and style
	"fmt"
	"html/template"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed page.css
var pageStyle string

var pageHTML = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":          func() template.CSS { return template.CSS(pageStyle) },
	"verdictClass": trial.Verdict.String,
	"verdictSign":  verdictSign,
	"rowClass":     rowClass,
	"href":         href,
	"clean":        printable.Line,
}).Parse(pageTemplate))

// HTML is the run as one page that needs nothing but itself: no script, no
// font, no image, no network. Links lead to the files beside it.
func HTML(run results.Run) ([]byte, error) {
	var b bytes.Buffer
	if err := pageHTML.Execute(&b, newPage(run)); err != nil {
		return nil, fmt.Errorf("write report.html: %w", err)
	}
	return b.Bytes(), nil
}

// verdictSign stands beside the word, for those who look at shapes first.
func verdictSign(v trial.Verdict) string {
	switch v {
	case trial.Pass:
		return "✓"
	case trial.Fail:
		return "✗"
	}
	return "?"
}

func rowClass(v trial.Verdict) string {
	switch v {
	case trial.Pass:
		return ""
	case trial.Fail:
		return "broken"
	}
	return "unsure"
}

// href is a link to a file below the page. Names come from a folder that
// anybody may have filled, so all but the plainest characters are encoded.
func href(path string) string {
	var b strings.Builder
	b.WriteString("./")
	for i := range len(path) {
		c := path[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

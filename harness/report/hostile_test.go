package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// attack holds what a target, a user or a damaged folder might say; BASE is
// where the browser test listens.
const attack = `</script></style></title></pre><script>fetch('BASE/a')</script><img src="BASE/b" onerror="fetch('BASE/c')">` +
	`"><svg onload=fetch('BASE/d')>' style='background:url(BASE/e)' x="<link rel=stylesheet href=BASE/f>` +
	`<iframe src=BASE/g></iframe><!-- ]]> {{.}} ${x} javascript:fetch('BASE/h') [x](javascript:alert(1)) ![y](BASE/i) | @all #1 ` +
	"`` ` ``` \x1b[31mred\x1b]8;;BASE/j\x07link \u202egnp.exe\u2066 \u200b\ufeff \x00\x07 \xff\xfe\xc3\x28 \u2028\r\n  tail"

// hostileID is a folder's name that a terminal would obey, and markup.
const hostileID = "s'\"<b>\x1b[31m\u202e\x07\n"

// folder writes a result folder in which every text is the given one.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	// A name cannot hold a slash, and 255 bytes are the limit of most file systems.
	arm := strings.Map(func(r rune) rune {
		if r == '/' || r == 0 {
			return '_'
		}
		return r
	}, printable.Clip(text, 150))
	info := results.Info{
		Version: text, Tier: text, Runtime: text, Target: text, Kernel: text, Problem: text, Argv: []string{"reapcheck", text}, Settings: []results.Setting{{Name: text, Values: []string{text}, From: text}},
		About: map[string]string{"engine": text, "image": text}, Started: time.Unix(1e9, 0), Scenarios: []trial.Scenario{{ID: hostileID, Text: text}},
		LeftOut: []results.LeftOut{{ID: text, Why: text}},
	}
	if err := results.WriteInfo(dir, info); err != nil {
		t.Fatal(err)
	}
	scenario := filepath.Join(dir, info.Scenarios[0].ID)
	if err := os.Mkdir(scenario, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, role := range []trial.Role{trial.Baseline, trial.Candidate} {
		name := string(role) + arm
		writeArm(t, filepath.Join(scenario, name), role, name, text)
	}
	return dir
}

func writeArm(t *testing.T, path string, role trial.Role, name, text string) {
	t.Helper()
	sent := time.Unix(1e9, 0).UTC()
	claim := trial.Clean
	if role == trial.Baseline {
		claim = trial.Loses
	}
	var recording strings.Builder
	for _, l := range []trial.Line{
		{Plan: &trial.Plan{Scenario: text, Arm: name, Role: role, Claim: claim, Strategy: text, Fault: text, Trials: 2, InFlight: 1}},
		{Record: &trial.Record{Index: 0, Kind: text, Want: 3, Outcome: trial.Lost, Micros: 5000, Sent: sent, Command: text, Detail: text}},
		{Record: &trial.Record{Index: 1, Kind: text, Want: 3, Outcome: trial.Wrong, Micros: 5000, Sent: sent, Command: text, Detail: text}},
		{Check: &trial.Check{Name: text, Want: text, Got: text}},
		{End: &trial.End{FaultHits: 1, StartMicros: 1}},
	} {
		raw, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		recording.Write(append(raw, '\n'))
	}
	said := sent.Add(time.Millisecond).Format(time.RFC3339Nano)
	log := fmt.Sprintf("%s\ntime=%s msg=%q pid=%q status=3\n%s\n", text, said, "reaped "+printable.Clip(text, 900), printable.Clip(text, 100), strings.Repeat(text, 1<<20/len(text)))
	for name, content := range map[string]string{path + ".jsonl": recording.String(), path + "-trial-0.log": log} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func hostileRun(t *testing.T, text string) results.Run {
	t.Helper()
	run, err := results.Load(folder(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if run.Verdict != trial.Fail || len(run.Findings[0].Arms) != 2 {
		t.Fatalf("the folder is not read as it was written: %v, %s", run.Verdict, printable.Clip(run.Findings[0].Reason, 200))
	}
	return run
}

// visible says whether text is free of what a terminal or a browser would obey.
func visible(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: invalid UTF-8", what)
	}
	for i, r := range text {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			t.Errorf("%s: %U at byte %d: %q", what, r, i, printable.Clip(text[max(0, i-40):], 80))
			return
		}
	}
}

func TestHostileTextIsInert(t *testing.T) {
	run := hostileRun(t, attack)
	var table strings.Builder
	if err := Table(&table, run, Style{}); err != nil {
		t.Fatal(err)
	}
	visible(t, "table", table.String())

	md := string(Markdown(run))
	visible(t, "markdown", md)
	for _, n := range elements(t, rendered(t, md)) {
		if !slices.Contains([]string{"html", "head", "body", "h1", "h2", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}, n.Data) {
			t.Errorf("markdown makes a <%s>", n.Data)
		}
	}

	junit, err := JUnit(run)
	if err != nil {
		t.Fatal(err)
	}
	visible(t, "junit", string(junit))
	wellFormed(t, junit)
}

// rendered is Markdown as a forgiving viewer shows it: GitHub's extensions, and
// no filter for HTML.
func rendered(t *testing.T, markdown string) []byte {
	t.Helper()
	var b bytes.Buffer
	viewer := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := viewer.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A target that prints without end must not fill the reports.
func TestHostileSizeIsBounded(t *testing.T) {
	run := hostileRun(t, strings.Repeat("x ", 50_000))
	html, err := HTML(run)
	if err != nil || len(html) > 200_000 {
		t.Errorf("page of %d bytes, error %v", len(html), err)
	}
	if md := Markdown(run); len(md) > MarkdownLimit {
		t.Errorf("markdown of %d bytes", len(md))
	}
}

func TestMarkdownStaysBelowItsLimit(t *testing.T) {
	run := hostileRun(t, "text")
	for range 12 {
		run.Findings = append(run.Findings, run.Findings...)
	}
	md := string(Markdown(run))
	if len(md) > MarkdownLimit || len(md) < MarkdownLimit/2 {
		t.Errorf("%d bytes", len(md))
	}
	if !strings.HasSuffix(md, cutNotice) || !strings.HasPrefix(md, "# reapcheck: fail") {
		t.Error("the cut is not said, or the verdict is not first")
	}
}

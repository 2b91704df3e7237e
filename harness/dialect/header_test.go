package dialect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// Daemons that take a script as it is tend to answer with its output as it is, and have
// the exit code beside it, in a header.
const byHeader = `
port: 1
request:
  path: /run
  headers: {Content-Type: TYPE}
  body: BODY
response:
  form: text
  exitCode: {header: X-Exit-Code}
  signal: {header: X-Signal}
  output: {at: ""}
words:
  timeout: [{header: X-Ended, is: timeout}]
`

func headerDialect(t *testing.T, kind, body string) dialect.Dialect {
	t.Helper()
	text := strings.NewReplacer("TYPE", kind, "BODY", body).Replace(byHeader)
	d, err := dialect.Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAHeaderHasTheCode(t *testing.T) {
	d := headerDialect(t, "text/plain", `"<command>"`)
	for _, c := range []struct {
		header   http.Header
		known    bool
		code     int
		timedOut bool
	}{
		{http.Header{"X-Exit-Code": {"7"}}, true, 7, false},
		{http.Header{"X-Exit-Code": {"-1"}, "X-Signal": {"SIGKILL"}}, true, 137, false},
		{http.Header{"X-Exit-Code": {"-1"}, "X-Signal": {"9"}}, true, 137, false},
		{http.Header{"X-Exit-Code": {"-1"}, "X-Signal": {"SIGIOT"}}, true, 134, false},
		{http.Header{"X-Exit-Code": {"-1"}, "X-Signal": {"poll"}}, true, 157, false},
		{http.Header{"X-Ended": {"timeout"}}, false, 0, true},
		{http.Header{"X-Exit-Code": {"seven"}}, false, 0, false},
		{http.Header{}, false, 0, false},
	} {
		asked := d.Begin(dialect.Request{})
		asked.Take(d.Steps()[0], http.StatusOK, c.header)
		if err := asked.Hear(strings.NewReader("12\n")); err != nil {
			t.Fatal(err)
		}
		got := asked.Answer(nil)
		if got.Known != c.known || got.Code != c.code || got.TimedOut != c.timedOut ||
			got.Output != "12\n" {
			t.Errorf("%v: %+v", c.header, got)
		}
	}
}

func TestABodyMayBeText(t *testing.T) {
	for _, c := range []struct{ kind, body, want string }{
		{"text/x-sh", `"<command>"`, "echo 'a&b'; exit 7"},
		{"application/x-www-form-urlencoded", `"cmd=<command>&limit=<timeout>"`,
			"cmd=echo+%27a%26b%27%3B+exit+7"},
	} {
		d := headerDialect(t, c.kind, c.body)
		asked := d.Begin(dialect.Request{Script: "echo 'a&b'; exit 7"})
		m, err := asked.Compose(d.Steps()[0], 0)
		if err != nil || m.Method != http.MethodPost || string(m.Body) != c.want ||
			m.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s: %q of %+v, %v", c.kind, m.Body, m, err)
		}
	}
}

func TestAPlaceIsAPointerOrAHeader(t *testing.T) {
	for _, place := range []string{"{event: x}", "{at: /a, header: b}"} {
		text := "port: 1\nrequest: {path: /, body: {c: <command>}}\nresponse: {exitCode: " + place + "}\n"
		if _, err := dialect.Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s was taken", place)
		} else {
			t.Log(err)
		}
	}
}

// The text of a refusal is the daemon's own. A code by which one refuses may be a command's.
func TestATextThatRefusesIsNoOutput(t *testing.T) {
	text := strings.NewReplacer("TYPE", "text/plain", "BODY", `"<command>"`).Replace(byHeader)
	d, err := dialect.Parse("x.yaml", []byte(text+"  refused: [{status: 503}, {exitCode: 125}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status          int
		code            string
		output, message string
	}{
		{http.StatusServiceUnavailable, "", "", "busy"},
		{http.StatusOK, "125", "busy", ""},
		{http.StatusOK, "7", "busy", ""},
	} {
		asked := d.Begin(dialect.Request{})
		header := http.Header{}
		if c.code != "" {
			header.Set("X-Exit-Code", c.code)
		}
		asked.Take(d.Steps()[0], c.status, header)
		if err := asked.Hear(strings.NewReader("busy")); err != nil {
			t.Fatal(err)
		}
		got := asked.Answer(nil)
		if got.Output != c.output || !strings.Contains(got.Message, c.message) {
			t.Errorf("%d, code %q: output %q, message %q", c.status, c.code, got.Output, got.Message)
		}
	}
}

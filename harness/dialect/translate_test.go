package dialect_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// parsed is a dialect with the given lines in its response and words.
func parsed(t *testing.T, body, rest string) dialect.Dialect {
	t.Helper()
	d, err := dialect.Parse("d.yaml",
		[]byte("port: 80\nrequest:\n  path: /run\n  body: "+body+"\n"+rest))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const anyResponse = "response: {exitCode: /code}\n"

func TestComposeFillsTheTemplate(t *testing.T) {
	const body = "{cmd: <command>, argv: <argv>, opts: {dir: <cwd>, limit: <timeoutMs>, fixed: 7}, note: 'in <cwd>: <command>', envs: <env>}"
	d := parsed(t, body, anyResponse)
	for _, c := range []struct {
		request dialect.Request
		want    string
	}{
		{
			dialect.Request{Script: "exit 3"},
			`{"argv":["/bin/sh","-c","exit 3"],"cmd":"exit 3","note":"in : exit 3","opts":{"fixed":7}}`,
		},
		{
			dialect.Request{
				Script:  "echo <cwd>",
				Cwd:     "/tmp",
				Timeout: 1500 * time.Millisecond,
				Env:     map[string]string{"A": "b"},
			},
			`{"argv":["/bin/sh","-c","echo <cwd>"],"cmd":"echo <cwd>","envs":{"A":"b"},"note":"in /tmp: echo <cwd>","opts":{"dir":"/tmp","fixed":7,"limit":1500}}`,
		},
		{
			dialect.Request{Script: "ls -al", Plain: true},
			`{"argv":["ls","-al"],"cmd":"ls -al","note":"in : ls -al","opts":{"fixed":7}}`,
		},
	} {
		got := new(strings.Builder)
		encoder := json.NewEncoder(got)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(d.Compose(c.request)); err != nil ||
			strings.TrimSpace(got.String()) != c.want {
			t.Errorf("got  %swant %s, error %v", got, c.want, err)
		}
	}
}

// Nil says nothing of an input, an empty one that it is empty.
func TestAnEmptyInputIsNoAbsentOne(t *testing.T) {
	d := parsed(t, "{cmd: <command>, in: <stdin>}", anyResponse)
	for want, input := range map[string]*string{
		`{"cmd":"cat"}`:                       nil,
		`{"cmd":"cat","in":""}`:               new(""),
		`{"cmd":"cat","in":"a\u0000\n<cwd>"}`: new("a\x00\n<cwd>"),
	} {
		got, err := json.Marshal(d.Compose(dialect.Request{Script: "cat", Stdin: input}))
		if err != nil || strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(got)) != want {
			t.Errorf("got %s, want %s, error %v", got, want, err)
		}
	}
	if !d.SaysInput() || parsed(t, "{cmd: <command>}", anyResponse).SaysInput() {
		t.Error("only a dialect with <stdin> can give an input")
	}
}

// A target that takes a command and gives nothing of its input back may not know the field.
func TestWhoIgnoresItsInput(t *testing.T) {
	d := parsed(t, "{cmd: <command>, in: <stdin>}", anyResponse)
	for _, c := range []struct {
		output  string
		hung    bool
		ignores bool
	}{{"reap check\n", false, false}, {"", false, true}, {"reap", false, false}, {"", true, false}} {
		answer := trial.Answer{Known: !c.hung, Code: 7, Output: c.output, Hung: c.hung}
		if got := dialect.IgnoresInput(dialect.Try(t.Context(), d, says{answer})); got != c.ignores {
			t.Errorf("%q, hung %v: it ignores its input: %v", c.output, c.hung, got)
		}
	}
}

// says gives one answer to everything.
type says struct{ answer trial.Answer }

func (says) Ready(context.Context) (int, error) { return 200, nil }
func (s says) Exchange(context.Context, dialect.Request) (trial.Answer, []byte) {
	return s.answer, nil
}

// What a template has no field for is left to the shell.
func TestComposeWithoutFields(t *testing.T) {
	d := parsed(t, "{cmd: <command>}", anyResponse)
	body := d.Compose(dialect.Request{
		Script: `pwd; echo "$A"`,
		Cwd:    "/proc/self",
		Env:    map[string]string{"A": "it's"},
	}).(map[string]any)
	out, err := exec.Command("/bin/sh", "-c", body["cmd"].(string)).Output()
	if err != nil || string(out) != "/proc/self\nit's\n" {
		t.Errorf("got %q, error %v, from %s", out, err, body["cmd"])
	}
}

// Each way to split a command must give the shell the script that was meant.
func TestScriptsSurviveEachStyle(t *testing.T) {
	nasty := func(int, *rand.Rand) load.Command {
		return load.Command{
			Request: dialect.Request{Script: `a="b  c" d='\n` + "`x'" +
				`; printf '%s|' "$a$d\\" "$(echo 'q  r')"; exit 4`},
			Want: trial.Want{Code: 4, Output: `b  c\n` + "`x" + `\|q  r|`},
		}
	}
	scripts := []load.Source{load.Instant, load.EveryCode, load.Bulk, load.Pipeline, load.Forks,
		nasty}
	d := parsed(t, "{cmd: <command>}", anyResponse)
	for i, source := range scripts {
		c := source(i, load.Random(1, "styles", i))
		for style, split := range map[dialect.Style]func(string) []string{
			dialect.Shell:     func(s string) []string { return []string{"/bin/sh", "-c", s} },
			dialect.BareWords: strings.Fields,
			dialect.QuotedWords: func(s string) []string {
				return []string{"/bin/sh", "-c",
					"exec " + s}
			},
		} {
			d.Commands = style
			words := split(d.Compose(c.Request).(map[string]any)["cmd"].(string))
			cmd := exec.Command(words[0], words[1:]...)
			out, err := cmd.Output()
			if cmd.ProcessState.ExitCode() != c.Want.Code || string(out) != c.Want.Output {
				t.Errorf("%s, %s: %v, %d bytes, want code %d and %d bytes", style, c.Script, err,
					len(out), c.Want.Code, len(c.Want.Output))
			}
		}
	}
}

func TestReadFollowsTheDialect(t *testing.T) {
	for _, c := range []struct {
		name, rest string
		status     int
		body       string
		want       trial.Answer // Message is not compared
	}{
		{"another name", "response: {exitCode: /data/code, output: [/data/out, /data/err]}", 200,
			`{"data":{"code":3,"out":"a","err":"b"}}`, trial.Answer{
				Known:  true,
				Code:   3,
				Output: "ab",
			}},
		{"an array, an escape", "response: {exitCode: /~0list~1/1}", 200, `{"~list/":[0,5]}`,
			trial.Answer{
				Known: true,
				Code:  5,
			}},
		{"a status of its own", "response: {exitCode: /code, status: [200, 422]}", 422,
			`{"code":3}`, trial.Answer{
				Known:  true,
				Code:   3,
				Failed: true,
			}},
		{"a status that is not listed", "response: {exitCode: /code, status: [201]}", 200,
			`{"code":3}`, trial.Answer{}},
		{"a null code", "response: {exitCode: /code}", 200, `{"code":null}`, trial.Answer{}},
		{"a code as text", "response: {exitCode: /code}", 200, `{"code":"3"}`, trial.Answer{}},
		{"half a code", "response: {exitCode: /code}", 200, `{"code":3.5}`, trial.Answer{}},
		{"output that is no text", "response: {exitCode: /code, output: /out}", 200,
			`{"code":3,"out":[1]}`, trial.Answer{}},
		{"base64", "response: {exitCode: /code, output: /out, encoding: base64}", 200,
			`{"code":0,"out":"YQo="}`, trial.Answer{
				Known:  true,
				Output: "a\n",
			}},
		{"not base64", "response: {exitCode: /code, output: /out, encoding: base64}", 200,
			`{"code":0,"out":"%"}`, trial.Answer{}},
		{"unknown by a field",
			"response: {exitCode: /code}\nwords: {unknown: [{at: /status, is: lost}]}", 200, `{"code":null,"status":"lost"}`, trial.Answer{Unknown: true}},
		{"unknown by a code of its own",
			"response: {exitCode: /code}\nwords: {unknown: [{exitCode: 255}]}", 200, `{"code":255}`, trial.Answer{
				Unknown: true,
				Known:   true,
				Code:    255,
			}},
		{"timeout by a flag",
			"response: {exitCode: /code}\nwords: {timeout: [{at: /timedOut, is: true}]}", 200, `{"code":-1,"timedOut":true}`, trial.Answer{TimedOut: true}},
		{"no timeout by that flag",
			"response: {exitCode: /code}\nwords: {timeout: [{at: /timedOut, is: true}]}", 200, `{"code":1,"timedOut":false}`, trial.Answer{
				Known: true,
				Code:  1,
			}},
		{"start error by status and text",
			"response: {exitCode: /code}\nwords: {startError: [{status: 500, at: /error, has: not found}]}", 500, `{"error":"exec: not found in PATH"}`, trial.Answer{
				NotStarted: true,
				Failed:     true,
			}},
		{"another 500",
			"response: {exitCode: /code}\nwords: {startError: [{status: 500, at: /error, has: not found}]}", 500, `{"error":"panic"}`, trial.Answer{Failed: true}},
		{"a signal's number", "response: {exitCode: /code, signal: /signal}", 200,
			`{"code":-1,"signal":9}`, trial.Answer{
				Known: true,
				Code:  137,
			}},
		{"a signal's name", "response: {exitCode: /code, signal: /signal}", 200,
			`{"code":null,"signal":"SIGTERM"}`, trial.Answer{
				Known: true,
				Code:  143,
			}},
		{"a signal as Go describes it", "response: {exitCode: /code, signal: /signal}", 200,
			`{"code":-1,"signal":"killed"}`, trial.Answer{
				Known: true,
				Code:  137,
			}},
		{"a signal as C describes it", "response: {exitCode: /code, signal: /signal}", 200,
			`{"code":-1,"signal":"Bad system call"}`, trial.Answer{
				Known: true,
				Code:  159,
			}},
		{"no signal", "response: {exitCode: /code, signal: /signal}", 200, `{"code":7,"signal":""}`,
			trial.Answer{
				Known: true,
				Code:  7,
			}},
		{"an unheard of signal", "response: {exitCode: /code, signal: /signal}", 200,
			`{"code":7,"signal":"SIGSAUSAGE"}`, trial.Answer{}},
		{
			"a word that looks like a signal",
			"response: {exitCode: /code}\nwords: {signal: -n, timeout: [{exitCode: -1}]}", 200,
			`{"code":-1}`, trial.Answer{TimedOut: true},
		},
		{"a negative signal", "response: {exitCode: /code}\nwords: {signal: -n}", 200,
			`{"code":-9}`, trial.Answer{
				Known: true,
				Code:  137,
			}},
		{"unknown beside negative signals",
			"response: {exitCode: /code}\nwords: {signal: -n, unknown: [{exitCode: -1}]}", 200, `{"code":-1}`, trial.Answer{Unknown: true}},
		{"more than one document", "response: {exitCode: /code}", 200, `{"code":3}{"code":4}`,
			trial.Answer{Garbled: true}},
		{"more than one error", "response: {exitCode: /code}", 400, `{"error":"no"}{"code":4}`,
			trial.Answer{Failed: true, Garbled: true}},
		{"an error that begins like JSON", "response: {exitCode: /code}", 404, "404 page not found\n",
			trial.Answer{Failed: true}},

		{"events",
			"response: {form: sse, exitCode: {event: exit, at: /code}, output: [{event: out, at: /text}, {event: err, at: /text}]}", 200,
			"event: out\ndata: {\"text\":\"a\"}\n\nevent: err\ndata: {\"text\":\"b\"}\n\nevent: out\ndata: {\"text\":\"c\"}\n\nevent: exit\ndata: {\"code\":3}\n\n",
			trial.Answer{Known: true, Code: 3, Output: "abc"}},
		{"events told apart by a field",
			"response: {form: sse, exitCode: /code, output: {at: /text, where: {/type: stdout}}}", 200,
			"data: {\"type\":\"stdout\",\"text\":\"a\"}\r\n\r\ndata:{\"type\":\"log\",\"text\":\"x\"}\r\n\r\n: ping\r\n\r\ndata: {\"code\":0}\r\n\r\n", trial.Answer{
				Known:  true,
				Output: "a",
			}},
		{"events of plain text",
			"response: {form: sse, exitCode: {event: exit, at: ''}, output: {event: out, at: ''}}", 200,
			"event: out\ndata: 12\ndata:\n\nevent: exit\ndata: 12\n\n", trial.Answer{
				Known:  true,
				Code:   12,
				Output: "12\n",
			}},
		{"a stream that breaks off", "response: {form: sse, exitCode: {event: exit, at: /code}}",
			200, "event: exit\ndata: {\"code\":3}\n", trial.Answer{}},
		{"an event that says unknown",
			"response: {form: sse, exitCode: /code}\nwords: {unknown: [{event: error, at: /why, is: lost}]}", 200,
			"event: error\ndata: {\"why\":\"lost\"}\n\n", trial.Answer{Unknown: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parsed(t, "{cmd: <command>}", c.rest+"\n").Read(c.status, []byte(c.body))
			if got.Message == "" {
				t.Error("an answer must say its status")
			}
			got.Message, got.Status = "", 0
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

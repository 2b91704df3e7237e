package dialect

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Speaker sends what a dialect composes. Package client has one for HTTP.
type Speaker interface {
	// Ready returns the HTTP status of the dialect's path for readiness; 0 for a target
	// that is ready and does not speak HTTP.
	Ready(ctx context.Context) (int, error)
	// Exchange asks for one command. The bytes are the answer's body as it came.
	Exchange(ctx context.Context, r Request) (trial.Answer, []byte)
}

// Attempt is one question and what came of it.
type Attempt struct {
	// Asked names the question; Script is the command that was sent.
	Asked, Script string
	// Understood says in words what the dialect made of the answer.
	Understood string
	// Wanted says in words what a target that does as it is told answers.
	Wanted string
	// Came is the answer's body, its first part.
	Came string
	// Heard is set where something was understood, Coded where that was an exit code
	// or the word for an unknown one; OK where it was what the command gives; Hung
	// where there was no answer at all.
	Heard, Coded, OK, Hung bool
	// Status is the HTTP status of the answer; 0 where there was none.
	Status int

	path   string // that was asked first
	killed bool   // the command was to be ended by a signal
	silent bool   // something was heard, and no output
	lossy  bool   // an output that is no text came back changed
}

// answerLimit is for one question. None takes longer than a second.
const answerLimit = 10 * time.Second

// question is a request with a name, and what it has to come to.
type question struct {
	asked string
	Request
	want trial.Want
}

// Try asks all questions that the dialect has words for, or those up to the first
// that is not answered in time. It tells a target that misbehaves from a dialect
// that does not fit it, and judges nothing: a target that loses exit codes may
// lose some here.
func Try(ctx context.Context, d Dialect, to Speaker) []Attempt {
	all := []Attempt{ready(ctx, d, to)}
	for _, q := range questions(d) {
		e := ask(ctx, d, to, q)
		all = append(all, e)
		if e.Hung || ctx.Err() != nil {
			break
		}
	}
	return all
}

// Fits says whether an exit code was understood anywhere. A timeout or a signal that was told
// from an answer has words of its own, and is not enough to judge codes by.
func Fits(all []Attempt) bool {
	for _, e := range all {
		if e.Coded && !e.killed {
			return true
		}
	}
	return false
}

// ready looks where the sandbox would look before the first command.
func ready(ctx context.Context, d Dialect, to Speaker) Attempt {
	e := Attempt{Asked: "ready", Script: "GET " + cmp.Or(d.Ready, "/"), Wanted: "HTTP 2xx"}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	status, err := to.Ready(ctx)
	if !d.OverHTTP() {
		e.Script, e.Wanted, e.Understood, e.OK = "ready?", "ready", "ready", err == nil
	}
	if err != nil {
		e.Understood = err.Error()
		return e
	}
	if !d.OverHTTP() {
		return e
	}
	e.Understood = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))
	e.OK = d.Ready == "" || status/100 == 2
	return e
}

// environment is the question that a hint is about, standardInput the one that shows
// whether a target heeds its input, and noText whether it can tell bytes.
const (
	environment   = "environment"
	noText        = "output that is no text"
	standardInput = "standard input"
)

// IgnoresInput says whether a target took the command that was to write its input, and
// nothing came back: it has no field of that name, as far as one question can tell.
func IgnoresInput(all []Attempt) bool {
	return slices.ContainsFunc(all, func(e Attempt) bool {
		return e.Asked == standardInput && e.silent
	})
}

// NoBytes says whether a target changes what is no text, though its dialect has a place for
// bytes beside the text.
func NoBytes(all []Attempt) bool {
	return slices.ContainsFunc(all, func(e Attempt) bool { return e.lossy })
}

func questions(d Dialect) []question {
	prints := func(code int, output string) trial.Want {
		return trial.Want{
			Code:   code,
			Output: output,
		}
	}
	all := []question{
		{"success", Request{Script: "echo reap check"}, prints(0, "reap check\n")},
		{"exit code 7", Request{Script: "echo reap check; exit 7"}, prints(7, "reap check\n")},
		{"working directory", Request{Script: "pwd", Cwd: "/"}, prints(0, "/\n")},
		{
			environment,
			Request{Script: "echo $REAP", Env: map[string]string{"REAP": "a b"}},
			prints(0, "a b\n"),
		},
		{"blank output", Request{Script: `printf ' a\n\n b \n'`}, prints(0, " a\n\n b \n")},
		{
			"no such program",
			Request{Script: "nonexistent-command", Plain: true},
			trial.Want{Code: 127, AnyOutput: true, StartError: true},
		},
		{
			"death by SIGKILL",
			Request{Script: "echo reap check; kill -9 $$"},
			prints(128+9, "reap check\n"),
		},
	}
	if d.SaysInput() {
		reads := Request{Script: "cat; exit 7", Stdin: new("reap check\n")}
		all = append(all, question{standardInput, reads, prints(7, "reap check\n")})
	}
	if d.tellsBytes() {
		all = append(all, question{noText, Request{Script: `printf 'reap \377check\n'`},
			trial.Want{Output: "reap \xffcheck\n", NoText: true}})
	}
	if d.SaysTimeout() {
		limited := Request{Script: "sleep 5", Timeout: d.Timeout(time.Second / 2)}
		all = append(all, question{"timeout", limited, trial.Want{Timeout: true}})
	}
	return all
}

func ask(ctx context.Context, d Dialect, to Speaker, q question) Attempt {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	answer, body := to.Exchange(ctx, q.Request)
	want := d.Want(q.want)
	outcome, _ := trial.Classify(want, answer)
	coded := answer.Known || answer.Unknown
	// Whoever tells each output in base64 means to tell bytes; another may have no place for them.
	lossy := q.asked == noText && outcome == trial.Output && d.Response.Encoding != base64Words
	return Attempt{
		Asked:      q.asked,
		Script:     q.Script,
		Wanted:     wanted(want),
		Came:       excerpt(body),
		Understood: words(answer),
		Heard:      coded || answer.TimedOut || answer.NotStarted || answer.Refused,
		Coded:      coded,
		OK:         outcome == trial.OK || lossy, // which is no fault of its
		lossy:      lossy,
		Hung:       answer.Hung,
		Status:     answer.Status,
		path:       firstPath(d),
		killed:     q.want.Code > 128,
		silent:     coded && answer.Output == "",
	}
}

func firstPath(d Dialect) string {
	if len(d.steps) == 0 {
		return ""
	}
	return d.steps[0].Path
}

// words says all that was understood: a target may say two things at once.
func words(a trial.Answer) string {
	var said []string
	for _, w := range []struct {
		is   bool
		text string
	}{
		{a.Known, fmt.Sprintf("exit code %d, output %.60q", a.Code, a.Output)},
		{a.Unknown, "exit code unknown"},
		{a.TimedOut, "cut short by its timeout"},
		{a.NotStarted, "could not start"},
		{a.Refused, "refused for want of means"},
		{a.Hung, fmt.Sprintf("no answer within %v: %s", answerLimit, a.Message)},
	} {
		if w.is {
			said = append(said, w.text)
		}
	}
	if len(said) == 0 {
		return "not understood: " + a.Message
	}
	return strings.Join(said, "; ")
}

// wanted says what words should have been.
func wanted(w trial.Want) string {
	switch {
	case w.Timeout:
		return "cut short by its timeout"
	case w.StartError:
		return fmt.Sprintf("exit code %d, or could not start", w.Code)
	case w.AnyOutput:
		return fmt.Sprintf("exit code %d", w.Code)
	}
	return fmt.Sprintf("exit code %d, output %.60q", w.Code, w.Output)
}

// Hint says what in the dialect may explain an answer that differs; empty where
// nothing is known.
func (e Attempt) Hint(d Dialect) string {
	switch {
	case e.OK || !e.Heard:
		return ""
	case strings.Contains(e.Understood, "; exit "):
		return "no shell has run this: set commands: words, or quoted-words"
	case strings.HasPrefix(e.Understood, "exit code -1,") && len(d.Words.Unknown) == 0:
		return "if -1 means unknown here, say so in words.unknown"
	case strings.Contains(e.Script, "kill -9") && strings.HasPrefix(e.Understood, "exit code -9,"):
		return `if -n means death by signal n here, set words.signal: "-n"`
	case e.Asked == environment && d.SaysEnv():
		return "if <env> is not understood here, leave it out: the shell is told then"
	}
	return ""
}

func excerpt(body []byte) string {
	const limit = 300
	if len(body) > limit {
		return string(body[:limit]) + "..."
	}
	return string(body)
}

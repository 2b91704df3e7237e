// Package interview asks a target a few questions, to tell a target that
// misbehaves from a dialect that does not fit it.
//
// Ask is the front door. It judges nothing: a target that loses exit codes may
// well lose some here.
package interview

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Exchange is one question and what came of it.
type Exchange struct {
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
}

// answerLimit is for one question. None takes longer than a second.
const answerLimit = 10 * time.Second

// question is a command with a name.
type question struct {
	asked string
	load.Command
}

// Ask puts all questions that the dialect has words for, or those up to the
// first that is not answered in time. Transport reaches the target at url.
func Ask(ctx context.Context, url string, d target.Dialect, transport *http.Transport) []Exchange {
	c := client.New(url, d, 1, transport)
	defer c.Close()
	all := []Exchange{ready(ctx, url, d, transport)}
	for _, q := range questions(d) {
		e := ask(ctx, c, d, q)
		all = append(all, e)
		if e.Hung || ctx.Err() != nil {
			break
		}
	}
	return all
}

// Heard says whether the dialect fits: whether an exit code was understood anywhere.
// That a timeout was told from an answer is not enough to judge codes by.
func Heard(all []Exchange) bool {
	for _, e := range all {
		if e.Coded {
			return true
		}
	}
	return false
}

// ready looks where the sandbox would look before the first command.
func ready(ctx context.Context, url string, d target.Dialect, transport *http.Transport) Exchange {
	e := Exchange{Asked: "ready", Script: "GET " + cmp.Or(d.Ready, "/"), Wanted: "HTTP 2xx"}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+d.Ready, nil)
	if err != nil {
		e.Understood = err.Error()
		return e
	}
	resp, err := (&http.Client{Transport: transport, CheckRedirect: client.Stay}).Do(req)
	if err != nil {
		e.Understood = err.Error()
		return e
	}
	resp.Body.Close()
	e.Understood = "HTTP " + resp.Status
	e.OK = d.Ready == "" || resp.StatusCode/100 == 2
	return e
}

// environment is the question that a hint is about.
const environment = "environment"

func questions(d target.Dialect) []question {
	code := func(n int) trial.Want { return trial.Want{Code: n, Output: "reap check\n"} }
	all := []question{
		{"success", load.Command{Script: "echo reap check", Want: code(0)}},
		{"exit code 7", load.Command{Script: "echo reap check; exit 7", Want: code(7)}},
		{"working directory", load.Command{Script: "pwd", Cwd: "/", Want: trial.Want{Output: "/\n"}}},
		{environment, load.Command{Script: "echo $REAP", Env: map[string]string{"REAP": "a b"}, Want: trial.Want{Output: "a b\n"}}},
		{"blank output", load.Command{Script: `printf ' a\n\n b \n'`, Want: trial.Want{Output: " a\n\n b \n"}}},
		{"no such program", load.Command{Script: "nonexistent-command", Plain: true, Want: trial.Want{Code: 127, AnyOutput: true, StartError: true}}},
		{"death by SIGKILL", load.Command{Script: "echo reap check; kill -9 $$", Want: code(128 + 9)}},
	}
	if d.Says("<timeout>") || d.Says("<timeoutMs>") {
		all = append(all, question{"timeout", load.Command{Script: "sleep 5", Timeout: time.Second / 2, Want: trial.Want{Timeout: true}}})
	}
	return all
}

func ask(ctx context.Context, c *client.Client, d target.Dialect, q question) Exchange {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	answer, body := c.Exchange(ctx, client.Asking(q.Command))
	outcome, _ := trial.Classify(d.Want(q.Want), answer)
	return Exchange{
		Asked: q.asked, Script: q.Script, Wanted: wanted(d.Want(q.Want)), Came: excerpt(body), Understood: words(answer),
		Heard: answer.Known || answer.Unknown || answer.TimedOut || answer.NotStarted || answer.Refused,
		Coded: answer.Known || answer.Unknown,
		OK:    outcome == trial.OK,
		Hung:  answer.Hung,
	}
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
		{a.Hung, fmt.Sprintf("no answer within %v", answerLimit)},
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
func (e Exchange) Hint(d target.Dialect) string {
	switch {
	case e.OK || !e.Heard:
		return ""
	case strings.Contains(e.Understood, "; exit "):
		return "no shell has run this: set commands: words, or quoted-words"
	case strings.HasPrefix(e.Understood, "exit code -1,") && len(d.Words.Unknown) == 0:
		return "if -1 means unknown here, say so in words.unknown"
	case strings.Contains(e.Script, "kill -9") && strings.HasPrefix(e.Understood, "exit code -9,"):
		return `if -n means death by signal n here, set words.signal: "-n"`
	case e.Asked == environment && d.Says("<env>"):
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

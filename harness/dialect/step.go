package dialect

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/userfile"
)

// Endpoint is where and how a command is asked for: by one request, or by the steps of a
// conversation.
type Endpoint struct {
	Step  `yaml:",inline"`
	Steps []Step `yaml:"steps"`
	// Cleanup follows whatever came of the steps, unless the client has gone.
	Cleanup []Step `yaml:"cleanup"`
	// Kill ends a command that runs.
	Kill *Step `yaml:"kill"`
	// NoTimeout is what the field for a timeout says for a command without one; nil
	// leaves the field out.
	NoTimeout any `yaml:"noTimeout"`
}

// Step is one request of a conversation, and what becomes of its answer.
type Step struct {
	// Name is what messages call it, and places and conditions.
	Name    string            `yaml:"name"`
	Method  string            `yaml:"method"`
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers"`
	// Body is a JSON value with placeholders such as "<command>", or a text that is sent
	// as it is; nil for none.
	Body any `yaml:"body"`
	// Send are JSON values that are sent over a WebSocket once it is open.
	Send []any `yaml:"send"`
	Form Form  `yaml:"form"`
	// Status lists the HTTP statuses that are expected; none are all of 2xx.
	Status []int `yaml:"status"`
	// Keep are values of the answer for the steps that follow.
	Keep map[string]Kept `yaml:"keep"`
	// Until has the step repeated until one of the conditions holds, or its stream read
	// that far; none takes the first answer, to its end.
	Until []Condition `yaml:"until"`
	// Every is the longest pause between two repetitions, in milliseconds.
	Every int `yaml:"every"`

	asks bool // it carries the command
}

// Kept is the place of a value that is kept.
type Kept struct {
	Place `yaml:",inline"`
}

// UnmarshalYAML reads a pointer alone or a mapping.
func (k *Kept) UnmarshalYAML(decode func(any) error) error {
	if decode(&k.At) == nil {
		return nil
	}
	var whole struct {
		At, Event, Header string
		Where             map[string]any
	}
	err := decode(&whole)
	k.Place = Place{At: whole.At, Event: whole.Event, Where: whole.Where, Header: whole.Header}
	return err
}

// Streams says whether the answer comes in parts.
func (s Step) Streams() bool { return s.Form != JSON && s.Form != Text }

// Expects says whether a status is one that the step goes on with.
func (s Step) Expects(status int) bool {
	switch {
	case len(s.Status) > 0:
		return slices.Contains(s.Status, status)
	case s.Form == WebSocket:
		return status == http.StatusSwitchingProtocols
	}
	return status/100 == 2
}

// slowestPoll is the longest pause between two repetitions, unless a step has its own.
const slowestPoll = 50 * time.Millisecond

// Pause is how long to wait before the step is repeated for the nth time: short at first,
// since most commands are.
func (s Step) Pause(n int) time.Duration {
	longest := slowestPoll
	if s.Every > 0 {
		longest = time.Duration(s.Every) * time.Millisecond
	}
	return min(longest, time.Millisecond<<min(n, 20))
}

// setSteps makes steps of the one request, and says what theirs leave out.
func (d *Dialect) setSteps() {
	d.Request.Step.setDefaults("request", d.Response.Form)
	d.steps = slices.Clone(d.Request.Steps)
	if len(d.steps) == 0 {
		if len(d.Response.Status) == 0 && d.Response.Form != WebSocket {
			d.Response.Status = []int{http.StatusOK}
		}
		d.steps = []Step{d.Request.Step}
		d.steps[0].Status = d.Response.Status
	}
	for i := range d.steps {
		form := JSON
		if i == len(d.steps)-1 {
			form = d.Response.Form
		}
		d.steps[i].setDefaults(fmt.Sprint(i+1), form)
	}
	d.Request.Cleanup = slices.Clone(d.Request.Cleanup)
	for i := range d.Request.Cleanup {
		d.Request.Cleanup[i].setDefaults(fmt.Sprint("cleanup ", i+1), JSON)
	}
	if d.Request.Kill != nil {
		kill := *d.Request.Kill
		kill.setDefaults("kill", JSON)
		d.Request.Kill = &kill
	}
}

func (s *Step) setDefaults(name string, form Form) {
	setDefault(&s.Name, name)
	setDefault(&s.Form, form)
	if s.Body == nil {
		setDefault(&s.Method, http.MethodGet)
	}
	setDefault(&s.Method, http.MethodPost)
	s.eachText(func(_, text string) {
		s.asks = s.asks || strings.Contains(text, "<command>") || strings.Contains(text, "<argv>")
	})
}

// Steps are the requests of which one command is asked by, in their order.
func (d Dialect) Steps() []Step { return d.steps }

// Simple says whether a command is asked for by one request, and answered to that.
func (d Dialect) Simple() bool {
	return !d.spoken && len(d.steps) == 1 && len(d.Request.Cleanup) == 0 &&
		d.Request.Kill == nil && len(d.steps[0].Until) == 0 && d.steps[0].Form != WebSocket
}

// Asked is what a sentence calls the request.
func (d Dialect) Asked() string {
	if len(d.steps) == 1 {
		return d.steps[0].Method + " " + d.steps[0].Path
	}
	var names []string
	for _, s := range d.steps {
		names = append(names, fmt.Sprintf("%s (%s %s)", s.Name, s.Method, s.Path))
	}
	return strings.Join(names, ", ")
}

// all are the steps with the paths at which they stand in the file.
func (d Dialect) all() (all []Step, at [][]string) {
	add := func(s Step, path ...string) { all, at = append(all, s), append(at, path) }
	for i, s := range d.steps {
		if len(d.Request.Steps) == 0 {
			add(s, "request")
		} else {
			add(s, "request", "steps", fmt.Sprint(i))
		}
	}
	for i, s := range d.Request.Cleanup {
		add(s, "request", "cleanup", fmt.Sprint(i))
	}
	if d.Request.Kill != nil {
		add(*d.Request.Kill, "request", "kill")
	}
	return all, at
}

// Unique is the name of a value that is another for each command: an ID that the
// client chooses.
const Unique = "unique"

// inPath is a value of an earlier answer in a path.
var inPath = regexp.MustCompile(`\{([a-zA-Z]\w*)\}`)

// check finds what no schema can: a misspelt placeholder, a value that nobody keeps, and
// a request that never says the command.
func (d *Dialect) check(doc *userfile.File) error {
	if (d.Port == 0) == (d.Socket == "") {
		return doc.Errorf(nil, "a target is at a port or at a socket: give just one of them")
	}
	if len(d.Request.Steps) > 0 && (d.Request.Path != "" || d.Request.Body != nil) {
		return doc.Errorf([]string{"request", "path"}, "a request has a path or steps, not both")
	}
	if len(d.Request.Steps) > 0 && len(d.Response.Status) > 0 {
		return doc.Errorf([]string{"response", "status"},
			"each step has its own status: say there which are expected")
	}
	known, names := []string{Unique}, []string{}
	all, at := d.all()
	for i, s := range all {
		if err := d.checkStep(doc, s, at[i], known); err != nil {
			return err
		}
		known = slices.AppendSeq(known, maps.Keys(s.Keep))
		if i < len(d.steps) && slices.Contains(names, s.Name) {
			return doc.Errorf(at[i], "two steps are called %q", s.Name)
		}
		names = append(names, s.Name)
	}
	if !d.Says("<command>") && !d.Says("<argv>") {
		return doc.Errorf([]string{"request", "body"},
			"the body must hold <command> or <argv>")
	}
	return d.checkNames(doc, names[:len(d.steps)])
}

func (d *Dialect) checkStep(doc *userfile.File, s Step, at, known []string) error {
	if s.Path == "" {
		return doc.Errorf(at, "step %s has no path", s.Name)
	}
	var bad error
	s.eachText(func(key, text string) {
		for _, name := range placeholder.FindAllString(text, -1) {
			d.placeholders = append(d.placeholders, name)
			if !slices.Contains(Placeholders, name) && bad == nil {
				bad = doc.Errorf(slices.Concat(at, []string{key}),
					"unknown placeholder %s: choose from %s", name,
					strings.Join(Placeholders, ", "))
			}
		}
	})
	for _, found := range inPath.FindAllStringSubmatch(variable.ReplaceAllString(s.Path, ""), -1) {
		if !slices.Contains(known, found[1]) && bad == nil {
			bad = doc.Errorf(slices.Concat(at, []string{"path"}),
				"unknown value %s: an earlier step must keep it; known are %s", found[0],
				strings.Join(known, ", "))
		}
	}
	return bad
}

// eachText calls do with each text that is filled in, and the key below which it stands.
func (s Step) eachText(do func(key, text string)) {
	do("path", s.Path)
	for _, value := range s.Headers {
		do("headers", value)
	}
	eachText(s.Body, func(text string) { do("body", text) })
	eachText(s.Send, func(text string) { do("send", text) })
}

// checkNames finds a place or a condition of a step that there is not.
func (d *Dialect) checkNames(doc *userfile.File, names []string) error {
	unknown := func(key, step string) error {
		return doc.Errorf([]string{key}, "unknown step %q: choose from %s", step,
			strings.Join(names, ", "))
	}
	for _, places := range []Places{d.Response.ExitCode, d.Response.Signal,
		d.Response.Output, d.Response.Bytes, d.Response.Error} {
		for _, p := range places {
			if p.Step != "" && !slices.Contains(names, p.Step) {
				return unknown("response", p.Step)
			}
		}
	}
	for _, conditions := range [][]Condition{d.Words.Unknown, d.Words.Timeout,
		d.Words.StartError, d.Words.Refused} {
		for _, c := range conditions {
			if c.Step != "" && !slices.Contains(names, c.Step) {
				return unknown("words", c.Step)
			}
		}
	}
	return nil
}

// variable is a part of a header's value, or of a path, that comes from the environment.
var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// Resolve fills headers and paths in from the environment. The result holds secrets: it
// is for a client and not for a report.
func (d Dialect) Resolve(lookup func(string) (string, bool)) (Dialect, error) {
	var missing error
	fill := func(what, text string) string {
		return variable.ReplaceAllStringFunc(text, func(match string) string {
			name := variable.FindStringSubmatch(match)[1]
			found, ok := lookup(name)
			if !ok && missing == nil {
				missing = fmt.Errorf(
					"dialect %s: %s needs the environment variable %s, which is not set",
					d.Name, what, name)
			}
			return found
		})
	}
	resolve := func(s Step) Step {
		s.Path = fill("path "+s.Path, s.Path)
		headers := map[string]string{}
		for name, value := range s.Headers {
			headers[name] = fill("header "+name, value)
		}
		s.Headers = headers
		return s
	}
	d.Request.Step = resolve(d.Request.Step)
	d.steps, d.Request.Cleanup = each(d.steps, resolve), each(d.Request.Cleanup, resolve)
	if d.Request.Kill != nil {
		kill := resolve(*d.Request.Kill)
		d.Request.Kill = &kill
	}
	return d, missing
}

// Variables are the environment variables that Resolve needs.
func (d Dialect) Variables() (names []string) {
	_, _ = d.Resolve(func(name string) (string, bool) {
		names = append(names, name)
		return "", true
	})
	slices.Sort(names)
	return slices.Compact(names)
}

func each(all []Step, do func(Step) Step) []Step {
	done := make([]Step, len(all))
	for i, s := range all {
		done[i] = do(s)
	}
	return done
}

package dialect

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// answerReader reads the answers to a command in its dialect.
type answerReader struct {
	Dialect
	heard []*heard // one for each step, the last of which says how it ended
	why   error    // it ended before its end; nil as a rule
	code  *int
}

// Read translates the answer to a command that is asked for by one request, of which
// status is the HTTP status. What it does not understand is not taken for an exit code,
// and the message says why.
func (d Dialect) Read(status int, body []byte) trial.Answer {
	c := d.Begin(Request{})
	c.Take(d.steps[0], status, nil)
	if err := c.Hear(bytes.NewReader(body)); err != nil {
		return c.Answer(err)
	}
	return c.Answer(nil)
}

func (r *answerReader) status() int  { return r.last().status }
func (r *answerReader) last() *heard { return r.heard[len(r.heard)-1] }

func (r *answerReader) answer() trial.Answer {
	output, badOutput := r.output()
	badCode := r.readCode()
	answer := trial.Answer{
		Failed:     r.status() >= http.StatusBadRequest,
		Status:     r.status(),
		Garbled:    errors.Is(r.why, errTwo),
		Output:     output,
		Unknown:    r.says(r.Words.Unknown),
		TimedOut:   r.says(r.Words.Timeout),
		NotStarted: r.says(r.Words.StartError),
		Refused:    r.says(r.Words.Refused),
		Message:    r.message(badCode, badOutput),
	}
	word := answer.Unknown || answer.TimedOut || answer.NotStarted || answer.Refused
	if r.code != nil && badOutput == nil && (!word || 0 <= *r.code && *r.code <= 255) {
		answer.Known, answer.Code = true, *r.code
	}
	if answer.Refused && !answer.Known && answer.Output != "" { // a body that is the target's own word
		answer.Message, answer.Output = cmp.Or(answer.Message, answer.Output), ""
	}
	return answer
}

// readCode takes the last exit code told, with a death by a signal as 128+n. An answer
// that came to no end has none, whatever it held.
func (r *answerReader) readCode() error {
	if r.why != nil || !r.last().expected {
		return nil
	}
	signal, err := last(r.find(r.Response.Signal), signalNumber)
	if err != nil {
		return fmt.Errorf("signal: %w", err)
	}
	code, err := last(r.find(r.Response.ExitCode), wholeNumber)
	if err != nil {
		return fmt.Errorf("exit code: %w", err)
	}
	switch {
	case signal != nil && *signal > 0:
		code = new(128 + *signal)
	case code != nil && *code < 0 && r.Words.Signal == NegativeSignal && !r.isWord(*code):
		code = new(128 - *code)
	}
	r.code = code
	return nil
}

// last reads the last of some values; nil where there is none.
func last(values []found, read func(found) (int, error)) (*int, error) {
	if len(values) == 0 {
		return nil, nil
	}
	n, err := read(values[len(values)-1])
	return &n, err
}

// isWord says whether a number is the target's word for what is no exit code.
func (r *answerReader) isWord(code int) bool {
	w := r.Words
	return slices.ContainsFunc(slices.Concat(w.Unknown, w.Timeout, w.StartError, w.Refused),
		func(c Condition) bool { return c.ExitCode != nil && *c.ExitCode == code })
}

func wholeNumber(v found) (int, error) {
	if v.place.Means != nil {
		return *v.place.Means, nil
	}
	number, ok := v.value.(json.Number)
	text, isText := v.value.(string)
	switch {
	case ok:
		text = number.String()
	case !isText || v.place.As != AsText && v.place.Header == "":
		return 0, fmt.Errorf("%v is not a number", v.value)
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

// signalNumber reads 9, "9", "SIGKILL", "KILL", and "signal: killed" or "killed", as Go and
// strsignal(3) say it. An empty name is no signal, and no more is "exit status 7".
func signalNumber(v found) (int, error) {
	name, ok := v.value.(string)
	if !ok || v.place.As == AsText {
		return wholeNumber(v)
	}
	if name == "" || strings.HasPrefix(name, "exit status ") {
		return 0, nil
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	described := strings.TrimSuffix(strings.TrimPrefix(name, "signal: "), " (core dumped)")
	for n := range syscall.Signal(65) {
		if n > 0 && (strings.EqualFold(n.String(), described) ||
			strings.EqualFold(inC[n], described)) {
			return int(n), nil
		}
	}
	short := strings.TrimPrefix(strings.ToUpper(name), "SIG")
	n := unix.SignalNum("SIG" + cmp.Or(otherNames[short], short))
	if n == 0 {
		return 0, fmt.Errorf("%q is not a signal", name)
	}
	return int(n), nil
}

// inC are the words of glibc's strsignal(3) that are not Go's too.
var inC = map[syscall.Signal]string{
	unix.SIGSTKFLT: "Stack fault", unix.SIGXCPU: "CPU time limit exceeded",
	unix.SIGXFSZ: "File size limit exceeded", unix.SIGVTALRM: "Virtual timer expired",
	unix.SIGPROF: "Profiling timer expired", unix.SIGIO: "I/O possible",
	unix.SIGPWR: "Power failure", unix.SIGSYS: "Bad system call",
}

// otherNames are second names of signals (signal(7)): the first that a table finds for 6 is
// IOT in some languages.
var otherNames = map[string]string{"IOT": "ABRT", "CLD": "CHLD", "POLL": "IO", "UNUSED": "SYS"}

// output joins the parts in the order in which they came.
func (r *answerReader) output() (string, error) {
	parts, err := r.texts(r.Response.Bytes)
	encoded := len(parts) > 0
	if err == nil && !encoded {
		parts, err = r.texts(r.Response.Output)
		encoded = r.Response.Encoding == base64Words
	}
	if err == nil && encoded {
		err = decodeBase64(parts)
	}
	if err != nil {
		return "", fmt.Errorf("output: %w", err)
	}
	text := strings.Join(parts, "")
	if r.Response.Newlines == CRLF {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	return text, nil
}

// decodeBase64 decodes part by part, since each may end with padding.
func decodeBase64(parts []string) error {
	for i, part := range parts {
		raw, err := base64.StdEncoding.DecodeString(part)
		if err != nil {
			return err
		}
		parts[i] = string(raw)
	}
	return nil
}

// says reports whether one of the conditions holds.
func (r *answerReader) says(conditions []Condition) bool {
	return slices.ContainsFunc(conditions, r.holds)
}

func (r *answerReader) holds(c Condition) bool {
	from := r.heardOf(c.Step)
	switch {
	case from == nil, c.Status != 0 && c.Status != from.status,
		c.ExitCode != nil && (r.code == nil || *r.code != *c.ExitCode):
		return false
	case c.At == nil && c.Header == "":
		return true
	}
	place := Place{Header: c.Header, Step: from.step.Name, Event: c.Event}
	if c.At != nil {
		place.At = *c.At
	}
	there := r.find(Places{place})
	return slices.ContainsFunc(there, func(v found) bool {
		text := v.text()
		return (c.Is == nil || text == fmt.Sprint(c.Is)) && strings.Contains(text, c.Has)
	})
}

// heardOf is the answer to a step, by default the last; nil where there was none.
func (r *answerReader) heardOf(step string) *heard {
	if step == "" {
		return r.last()
	}
	for _, h := range r.heard {
		if h.step.Name == step {
			return h
		}
	}
	return nil
}

// message is the status, the target's own explanation, and what was not
// understood.
func (r *answerReader) message(badCode, badOutput error) string {
	parts := []string{fmt.Sprintf("HTTP %d", r.status())}
	if len(r.steps) > 1 {
		parts[0] = fmt.Sprintf("step %s: HTTP %d", r.last().step.Name, r.status())
	}
	for _, v := range r.find(r.Response.Error) {
		parts = append(parts, v.text())
	}
	for _, bad := range []error{r.why, badCode, badOutput} {
		if bad != nil {
			parts = append(parts, bad.Error())
		}
	}
	if len(parts) == 1 && r.code == nil {
		parts = append(parts, "without an exit code", r.excerpt())
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// excerpt is what the target said, where nothing in it was understood.
func (r *answerReader) excerpt() string {
	if n := len(r.last().events); n > 0 {
		return clip(r.last().events[n-1].text)
	}
	return ""
}

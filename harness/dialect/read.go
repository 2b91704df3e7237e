package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// answerReader reads one answer in its dialect.
type answerReader struct {
	Dialect
	status int
	events []event
	code   *int
}

// Read translates an answer, of which status is the HTTP status. What it does not
// understand is not taken for an exit code, and the message says why.
func (d Dialect) Read(status int, body []byte) trial.Answer {
	all, err := events(d.Response.Form, body)
	if err != nil {
		return trial.Answer{Failed: status >= http.StatusBadRequest, Message: fmt.Sprintf("HTTP %d with a body that is not the dialect's: %v", status, err)}
	}
	r := answerReader{Dialect: d, status: status, events: all}
	output, badOutput := r.output()
	badCode := r.readCode()
	answer := trial.Answer{
		Failed:     status >= http.StatusBadRequest,
		Output:     output,
		Unknown:    r.says(d.Words.Unknown),
		TimedOut:   r.says(d.Words.Timeout),
		NotStarted: r.says(d.Words.StartError),
		Refused:    r.says(d.Words.Refused),
		Message:    r.message(badCode, badOutput),
	}
	word := answer.Unknown || answer.TimedOut || answer.NotStarted || answer.Refused
	if r.code != nil && badOutput == nil && (!word || 0 <= *r.code && *r.code <= 255) {
		answer.Known, answer.Code = true, *r.code
	}
	return answer
}

// readCode takes the last exit code told, with a death by a signal as 128+n.
func (r *answerReader) readCode() error {
	if !slices.Contains(r.Response.Status, r.status) {
		return nil
	}
	signal, err := last(find(r.events, r.Response.Signal), signalNumber)
	if err != nil {
		return fmt.Errorf("signal: %w", err)
	}
	code, err := last(find(r.events, r.Response.ExitCode), wholeNumber)
	if err != nil {
		return fmt.Errorf("exit code: %w", err)
	}
	switch {
	case signal != nil && *signal > 0:
		code = new(128 + *signal)
	case code != nil && *code < 0 && r.Words.Signal == NegativeSignal && !r.unknownCode(*code):
		code = new(128 - *code)
	}
	r.code = code
	return nil
}

// last reads the last of some values; nil where there is none.
func last(values []any, read func(any) (int, error)) (*int, error) {
	if len(values) == 0 {
		return nil, nil
	}
	n, err := read(values[len(values)-1])
	return &n, err
}

// unknownCode says whether a number is the target's word for "unknown".
func (r *answerReader) unknownCode(code int) bool {
	return slices.ContainsFunc(r.Words.Unknown, func(c Condition) bool { return c.ExitCode != nil && *c.ExitCode == code })
}

func wholeNumber(v any) (int, error) {
	number, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%v is not a number", v)
	}
	return strconv.Atoi(number.String())
}

// signalNumber reads 9, "SIGKILL" and "KILL". An empty name is no signal.
func signalNumber(v any) (int, error) {
	name, ok := v.(string)
	if !ok {
		return wholeNumber(v)
	}
	if name == "" {
		return 0, nil
	}
	n := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
	if n == 0 {
		return 0, fmt.Errorf("%q is no signal", name)
	}
	return int(n), nil
}

// output joins the parts in the order in which they came.
func (r *answerReader) output() (string, error) {
	parts, err := texts(r.events, r.Response.Output)
	if err == nil && r.Response.Encoding == "base64" {
		err = decodeBase64(parts)
	}
	if err != nil {
		return "", fmt.Errorf("output: %w", err)
	}
	return strings.Join(parts, ""), nil
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
	switch {
	case c.Status != 0 && c.Status != r.status,
		c.ExitCode != nil && (r.code == nil || *r.code != *c.ExitCode):
		return false
	case c.At == nil:
		return true
	}
	there := find(r.events, Places{{At: *c.At, Event: c.Event}})
	return slices.ContainsFunc(there, func(v any) bool {
		text := fmt.Sprint(v)
		return (c.Is == nil || text == fmt.Sprint(c.Is)) && strings.Contains(text, c.Has)
	})
}

// message is the status, the target's own explanation, and what was not
// understood.
func (r *answerReader) message(badCode, badOutput error) string {
	parts := []string{fmt.Sprintf("HTTP %d", r.status)}
	for _, v := range find(r.events, r.Response.Error) {
		parts = append(parts, fmt.Sprint(v))
	}
	for _, bad := range []error{badCode, badOutput} {
		if bad != nil {
			parts = append(parts, bad.Error())
		}
	}
	if len(parts) == 1 && r.code == nil {
		parts = append(parts, "without an exit code")
	}
	return strings.Join(parts, " ")
}

// event is one document of an answer. A JSON answer is one event without a name.
type event struct {
	name string
	text string
	doc  any // the text as JSON, or as it is where it is none
}

// events takes an answer's body apart.
func events(form Form, body []byte) ([]event, error) {
	if form == SSE {
		return serverSentEvents(body), nil
	}
	doc, err := decodeJSON(body)
	if err != nil {
		return nil, err
	}
	return []event{{text: string(body), doc: doc}}, nil
}

// decodeJSON keeps numbers as they were written.
func decodeJSON(body []byte) (any, error) {
	var doc any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it goes on after the JSON value")
	}
	return doc, nil
}

// serverSentEvents reads a stream as the HTML standard says (9.2.6): an event
// ends with an empty line, and one that does not end is dropped.
func serverSentEvents(stream []byte) []event {
	var all []event
	var name string
	var data []string
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(stream), "\ufeff"))
	for line := range strings.Lines(text) {
		line, whole := strings.CutSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && whole:
			if data != nil {
				all = append(all, newEvent(name, strings.Join(data, "\n")))
			}
			name, data = "", nil
		case field == "event":
			name = value
		case field == "data":
			data = append(data, value)
		}
	}
	return all
}

func newEvent(name, text string) event {
	doc, err := decodeJSON([]byte(text))
	if err != nil {
		doc = text
	}
	return event{name, text, doc}
}

// value is what stands at a place; nil where nothing or null does.
func (e event) value(p Place) any {
	if p.Event != "" && p.Event != e.name || !matches(e.doc, p.Where) {
		return nil
	}
	return at(e.doc, p.At)
}

// find returns what stands at the places, in the order of the events.
func find(all []event, places Places) []any {
	var found []any
	for _, e := range all {
		for _, p := range places {
			if v := e.value(p); v != nil {
				found = append(found, v)
			}
		}
	}
	return found
}

// texts is find for text. A whole event is its text as it stands, even where
// it could be read as a number.
func texts(all []event, places Places) ([]string, error) {
	var found []string
	for _, e := range all {
		for _, p := range places {
			v := e.value(p)
			text, ok := v.(string)
			if p.At == "" && v != nil {
				text, ok = e.text, true
			}
			if v != nil && !ok {
				return nil, fmt.Errorf("%v is not text", v)
			}
			found = append(found, text)
		}
	}
	return found, nil
}

func matches(doc any, where map[string]any) bool {
	for pointer, want := range where {
		if v := at(doc, pointer); v == nil || fmt.Sprint(v) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// at follows a JSON Pointer (RFC 6901); nil where it leads nowhere.
func at(doc any, pointer string) any {
	if pointer == "" {
		return doc
	}
	for _, step := range strings.Split(pointer[1:], "/") {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[unescape.Replace(step)]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(d) {
				return nil
			}
			doc = d[i]
		default:
			return nil
		}
	}
	return doc
}

package dialect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Conversation is one command on its way through the steps of a dialect: it composes
// each request and takes each answer. Compose may be called from another goroutine
// meanwhile, to kill the command.
type Conversation struct {
	dialect Dialect
	mu      sync.Mutex
	values  map[string]any // that placeholders stand for, and {name} once it is kept
	heard   []*heard       // the answers, one a step
	killed  bool
	most    int  // bytes of an answer for which there is room
	room    room // that is left for the one that was taken last
}

// heard is the answer to a step.
type heard struct {
	step     Step
	status   int
	header   http.Header
	events   []event
	expected bool
}

// headerAt is what a place among the headers holds; empty for nothing, or another place.
func (h *heard) headerAt(p Place) string {
	if p.Header == "" {
		return ""
	}
	return h.header.Get(p.Header)
}

// Begin starts the conversation for one command.
func (d Dialect) Begin(r Request) *Conversation {
	c := &Conversation{dialect: d, values: d.values(r), most: defaultMost}
	c.values["{"+Unique+"}"] = "reap-" + strconv.FormatUint(rand.Uint64(), 36)
	return c
}

// Most says how many bytes an answer may have at most: what is made of them is bounded too.
func (c *Conversation) Most(bytes int) { c.most = bytes }

// Message is a step, filled in.
type Message struct {
	Method, Path string
	Header       http.Header
	Body         []byte   // nil for none
	Send         [][]byte // over a WebSocket
	// Command says that this carries the command.
	Command bool
}

// ErrNothing means that a step has nothing to say: the value that it is about was never
// there.
var ErrNothing = errors.New("a value is not known")

// Compose fills a step in. Signal is for the one that kills.
func (c *Conversation) Compose(s Step, signal unix.Signal) (Message, error) {
	c.mu.Lock()
	values := maps.Clone(c.values)
	c.mu.Unlock()
	if signal != 0 {
		values["<signal>"], values["<signalNumber>"] = unix.SignalName(signal), int(signal)
	}
	m := Message{Method: s.Method, Header: http.Header{}, Command: s.asks}
	var err error
	if m.Path, err = fillPath(s.Path, values); err != nil {
		return m, err
	}
	if err := m.setBody(s, values); err != nil {
		return m, err
	}
	for name, text := range s.Headers {
		if value, ok := fillText(text, values); ok {
			m.Header.Set(name, fmt.Sprint(value))
		}
	}
	for _, template := range s.Send {
		if value, ok := fill(template, values); ok {
			raw, err := encode(value)
			if err != nil {
				return m, err
			}
			m.Send = append(m.Send, raw)
		}
	}
	return m, nil
}

func (m *Message) setBody(s Step, values map[string]any) error {
	if s.Body == nil {
		return nil
	}
	if text, ok := s.Body.(string); ok {
		m.setText(s, text, values)
		return nil
	}
	body, _ := fill(s.Body, values)
	raw, err := encode(body)
	if err != nil {
		return err
	}
	m.Body = raw
	m.Header.Set("Content-Type", "application/json")
	if s.Form == Connect {
		m.Body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(raw))), raw...)
		m.Header.Set("Content-Type", "application/connect+json")
		m.Header.Set("Connect-Protocol-Version", "1")
	}
	return nil
}

// form is the type of a body that is escaped as a query is.
const form = "application/x-www-form-urlencoded"

// setText makes a body that is no JSON.
func (m *Message) setText(s Step, text string, values map[string]any) {
	kind := "text/plain; charset=utf-8"
	for name, value := range s.Headers {
		if strings.EqualFold(name, "Content-Type") {
			kind = value
		}
	}
	if strings.HasPrefix(kind, form) {
		m.Body = []byte(fillQuery(text, values))
	} else if body, ok := fillText(text, values); ok {
		m.Body = []byte(fmt.Sprint(body))
	}
	m.Header.Set("Content-Type", kind)
}

// encode writes a command as it is: a target that shows what it was sent shows it so.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// inTemplate is whatever is filled in.
func inTemplate(text string) []string {
	if !strings.ContainsAny(text, "<{") {
		return nil
	}
	return append(placeholder.FindAllString(text, -1), inPath.FindAllString(text, -1)...)
}

// fillPath escapes what it fills in. A parameter of the query whose placeholder has no
// value is left out.
func fillPath(path string, values map[string]any) (string, error) {
	path, query, _ := strings.Cut(path, "?")
	path, whole := fillEscaped(path, values, url.PathEscape)
	if !whole {
		return "", fmt.Errorf("path %s: %w", path, ErrNothing)
	}
	if query = fillQuery(query, values); query != "" {
		path += "?" + query
	}
	return path, nil
}

// fillQuery leaves a parameter out whose placeholder has no value.
func fillQuery(query string, values map[string]any) string {
	var kept []string
	for _, parameter := range strings.Split(query, "&") {
		filled, whole := fillEscaped(parameter, values, url.QueryEscape)
		if whole && filled != "" {
			kept = append(kept, filled)
		}
	}
	return strings.Join(kept, "&")
}

func fillEscaped(text string, values map[string]any, escape func(string) string) (string, bool) {
	whole := true
	var pairs []string
	for _, name := range inTemplate(text) {
		value, ok := values[name]
		whole = whole && ok
		if ok {
			pairs = append(pairs, name, escape(fmt.Sprint(value)))
		}
	}
	return strings.NewReplacer(pairs...).Replace(text), whole
}

// Take begins with an answer to a step; what was heard of that step before is forgotten.
func (c *Conversation) Take(s Step, status int, header http.Header) {
	h := &heard{step: s, status: status, header: header, expected: s.Expects(status)}
	if n := len(c.heard); n > 0 && c.heard[n-1].step.Name == s.Name {
		c.heard = c.heard[:n-1]
	}
	c.heard = append(c.heard, h)
	c.room = roomFor(c.most)
}

// Hear reads the body of the answer that was taken last, to its end, or as far as its
// step wants to. An error says that it broke off or is not in its form.
func (c *Conversation) Hear(body io.Reader) error {
	h := c.last()
	p := parser{&c.room, func(e event) bool { return c.take(h, e) }}
	if !h.expected {
		return p.unexpected(h.step.Form, body)
	}
	err := p.read(h.step.Form, body)
	// What a step on the way says beside what is wanted of it is its own affair.
	if errors.Is(err, ErrForm) && h.step.Form == JSON && len(c.heard) < len(c.dialect.steps) {
		return nil
	}
	return err
}

// unexpected reads an error: as a rule it is one document, or text, whatever the form of
// an answer is.
func (p parser) unexpected(form Form, body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	doc, err := p.room.decode(raw)
	switch {
	case errors.Is(err, errNoRoom):
		return err
	case err == nil:
	case form == JSON && errors.Is(err, errTwo):
		p.take(event{text: string(raw), doc: doc})
		return notInForm(err, "", raw)
	case form == SSE:
		return p.read(form, bytes.NewReader(raw))
	default:
		doc = string(raw)
	}
	p.take(event{text: string(raw), doc: doc})
	return nil
}

// HearMessage takes one message of a WebSocket. It says whether that was the last that
// the step wants.
func (c *Conversation) HearMessage(kind string, text []byte) (enough bool, err error) {
	p := parser{&c.room, func(e event) bool { return c.take(c.last(), e) }}
	return p.offer(kind, string(text))
}

func (c *Conversation) take(h *heard, e event) (enough bool) {
	h.events = append(h.events, e)
	c.keep(h, e)
	if len(h.step.Until) == 0 || !h.step.Streams() {
		return false
	}
	return c.holds(h.step.Until, &heard{step: h.step, status: h.status, events: []event{e}})
}

// keep takes values for later steps, the first of each name.
func (c *Conversation) keep(h *heard, e event) {
	for name, from := range h.step.Keep {
		if v := e.value(from.Place); v != nil {
			c.know(name, v)
		}
	}
}

func (c *Conversation) know(name string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key := "{" + name + "}"; c.values[key] == nil {
		c.values[key] = value
	}
}

func (c *Conversation) last() *heard { return c.heard[len(c.heard)-1] }

// Done says whether the step is over. Where it is not, it is to be asked again. An error
// ends the conversation: the answer was not the one that leads on.
func (c *Conversation) Done() (bool, error) {
	h := c.last()
	if !h.expected {
		return true, fmt.Errorf("HTTP %d was not expected", h.status)
	}
	if len(h.step.Until) > 0 && !c.holds(h.step.Until, h) {
		if h.step.Streams() {
			return true, errors.New("the stream ended before it said so")
		}
		return false, nil
	}
	for name, from := range h.step.Keep {
		if value := h.headerAt(from.Place); value != "" {
			c.know(name, value)
		}
		if err := c.usable(name, from); err != nil {
			return true, err
		}
	}
	return true, nil
}

// usable says what is wrong with a value that was to be kept: a path made of it would be
// another one.
func (c *Conversation) usable(name string, from Kept) error {
	c.mu.Lock()
	value, known := c.values["{"+name+"}"]
	c.mu.Unlock()
	if !known {
		return fmt.Errorf("nothing to keep as %s: it holds no %s%s", name, from.At, from.Header)
	}
	switch v := value.(type) {
	case map[string]any, []any:
		return fmt.Errorf("%s%s is not text, and cannot be kept as %s", from.At, from.Header, name)
	case string:
		if v == "" || v == "." || v == ".." || len(v) > longestKept {
			return fmt.Errorf("%s%s cannot be kept as %s: %q", from.At, from.Header, name, clip(v))
		}
	}
	return nil
}

// longestKept is far above any ID, and below what servers take in a path or a header.
const longestKept = 4096

// Killed notes that the client has ended the command when its time was over.
func (c *Conversation) Killed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
}

// State is what the last answer was, in short.
func (c *Conversation) State() string {
	if len(c.heard) == 0 {
		return "nothing"
	}
	h := c.last()
	text := fmt.Sprintf("HTTP %d", h.status)
	if n := len(h.events); n > 0 {
		text += " " + clip(h.events[n-1].text)
	}
	return text
}

func clip(text string) string {
	const limit = 200
	return printable.Clip(strings.TrimSpace(text), limit)
}

// Answer translates all that was heard. Why says what ended the conversation before its
// end; nil where it came there.
func (c *Conversation) Answer(why error) trial.Answer {
	if len(c.heard) == 0 {
		return trial.Answer{Message: fmt.Sprint(why)}
	}
	r := answerReader{Dialect: c.dialect, heard: c.heard, why: why}
	answer := r.answer()
	c.mu.Lock()
	defer c.mu.Unlock()
	answer.TimedOut = answer.TimedOut || c.killed
	return answer
}

// holds says whether one of the conditions is so in what was heard last.
func (c *Conversation) holds(conditions []Condition, h *heard) bool {
	r := answerReader{Dialect: c.dialect, heard: []*heard{h}}
	return r.says(conditions)
}

package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

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

package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// found is what stands at a place.
type found struct {
	value any
	place Place
	event event
}

// text is the value as a person would write it.
func (f found) text() string {
	if text, ok := f.value.(string); ok {
		return text
	}
	switch f.value.(type) {
	case map[string]any, []any:
		if raw, err := json.Marshal(f.value); err == nil {
			return string(raw)
		}
	}
	return fmt.Sprint(f.value)
}

// value is the first that stands at a place; nil where nothing or null does.
func (e event) value(p Place) any {
	for _, v := range e.values(p) {
		return v
	}
	return nil
}

// values are all that stand at a place, without null.
func (e event) values(p Place) []any {
	if p.Header != "" || p.Event != "" && p.Event != e.name || !matches(e.doc, p.Where) {
		return nil
	}
	return walk(e.doc, p.At)
}

// find returns what stands at the places, in the order of the events.
func (r *answerReader) find(places Places) (all []found) {
	for i, h := range r.heard {
		here := slices.DeleteFunc(slices.Clone(places), func(p Place) bool {
			return p.Step != h.step.Name && (p.Step != "" || i != len(r.heard)-1)
		})
		for _, p := range here {
			if value := h.headerAt(p); value != "" {
				all = append(all, found{value, p, event{}})
			}
		}
		for _, e := range h.events {
			for _, p := range here {
				for _, v := range e.values(p) {
					all = append(all, found{v, p, e})
				}
			}
		}
	}
	return all
}

// texts is find for text. A whole event is its text as it stands, even where
// it could be read as a number.
func (r *answerReader) texts(places Places) ([]string, error) {
	var all []string
	for _, f := range r.find(places) {
		text, ok := f.value.(string)
		if f.place.At == "" && f.place.Header == "" {
			text, ok = f.event.text, true
		}
		if !ok {
			return nil, fmt.Errorf("%v is not text", f.value)
		}
		all = append(all, text)
	}
	return all, nil
}

func matches(doc any, where map[string]any) bool {
	for pointer, want := range where {
		there := walk(doc, pointer)
		if len(there) == 0 || fmt.Sprint(there[0]) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// everyItem is the step of a pointer that goes to each item of a list.
const everyItem = "*"

// walk follows a JSON Pointer (RFC 6901), in which * stands for each item of a list.
// Nothing is where it leads nowhere, or to null.
func walk(doc any, pointer string) []any {
	if doc == nil {
		return nil
	}
	if pointer == "" {
		return []any{doc}
	}
	step, rest, more := strings.Cut(pointer[1:], "/")
	if more {
		rest = "/" + rest
	}
	switch d := doc.(type) {
	case map[string]any:
		return walk(d[unescape.Replace(step)], rest)
	case []any:
		if step == everyItem {
			var all []any
			for _, item := range d {
				all = append(all, walk(item, rest)...)
			}
			return all
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(d) {
			return walk(d[i], rest)
		}
	}
	return nil
}

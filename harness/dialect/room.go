package dialect

import (
	"encoding/json"
	"errors"
)

// room is how much may still be made of an answer. A document takes many times the memory
// of its text where it is made of many small values, such as [0,0,0: a broken target
// cannot exhaust the harness.
type room int

// A value takes some 48 bytes, an object, whose map has room for eight, as much as
// mapValues of them, and each document of a stream as much as docValues. One value for
// bytesForValue of an answer's limit keeps all below four times that limit.
const (
	bytesForValue = 16
	mapValues     = 8
	docValues     = 4
)

// defaultMost is for an answer whose limit nobody has said.
const defaultMost = 128 << 20

func roomFor(most int) room { return room(most / bytesForValue) }

// errNoRoom means that an answer holds too many values.
var errNoRoom = errors.New("read answer: it holds more values than there is room for")

// decode is decodeJSON for as much as there is room. Text that is no JSON weighs the least.
func (r *room) decode(text []byte) (any, error) {
	weight := room(weigh(text))
	if weight > *r && weight > docValues && !json.Valid(text) {
		weight = docValues
	}
	if weight > *r {
		return nil, errNoRoom
	}
	doc, err := decodeJSON(text)
	if err != nil {
		weight = docValues
	}
	*r -= weight
	return doc, err
}

// weigh counts the values in a text that may be JSON. What stands in quotes is
// one of them.
func weigh(text []byte) int {
	weight, quoted := docValues, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			weight += mapValues
		case c == '[' || c == ',':
			weight++
		}
	}
	return weight
}

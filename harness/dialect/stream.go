package dialect

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one document of an answer. A JSON answer is one event without a name.
type event struct {
	name string
	text string
	doc  any // the text as JSON, or as it is where it is none
}

// parser takes an answer's body apart as it comes.
type parser struct {
	room *room
	// take says that this is enough.
	take func(event) (enough bool)
}

// offer takes what may be JSON or text.
func (p parser) offer(name, text string) (enough bool, err error) {
	doc, err := p.room.decode([]byte(text))
	if errors.Is(err, errNoRoom) {
		return false, err
	}
	if err != nil {
		doc = text
	}
	return p.take(event{name, text, doc}), nil
}

// ErrForm means that an answer is not in its dialect's form.
var ErrForm = errors.New("a body that is not the dialect's")

// The events that a form has of its own.
const (
	endOfStream = "end-of-stream" // of the Connect protocol
	// TextMessage and BinaryMessage are of a WebSocket, and Closed its regular end, with
	// a code and a reason.
	TextMessage   = "text"
	BinaryMessage = "binary"
	Closed        = "close"
)

// read ends with the body, or where take says that this is enough.
func (p parser) read(form Form, body io.Reader) error {
	switch form {
	case SSE:
		return p.serverSentEvents(bufio.NewReader(body))
	case JSONLines:
		return p.jsonLines(bufio.NewReader(body))
	case Connect:
		return p.envelopes(bufio.NewReader(body))
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var doc any = string(raw)
	if form != Text {
		if doc, err = p.room.decode(raw); err != nil {
			return notInForm(err, "", raw)
		}
	}
	p.take(event{text: string(raw), doc: doc})
	return nil
}

// notInForm is an error of decode about a text; where says which of several it is.
func notInForm(err error, where string, text []byte) error {
	if errors.Is(err, errNoRoom) {
		return err
	}
	return fmt.Errorf("%w: %s%w: %q", ErrForm, where, err, clip(string(text)))
}

// errTwo means that more than one answer came: behind an object that is one there is more. Text
// may begin like another JSON value, as "404 page not found" does.
var errTwo = errors.New("it goes on after the JSON object")

// decodeJSON keeps numbers as they were written. With errTwo it returns the first object.
func decodeJSON(body []byte) (any, error) {
	var doc any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		if _, is := doc.(map[string]any); is {
			return doc, errTwo
		}
		return nil, errors.New("it goes on after the JSON value")
	}
	return doc, nil
}

// serverSentEvents reads a stream as the HTML standard says (9.2.6): an event
// ends with an empty line, and one that does not end is dropped.
func (p parser) serverSentEvents(from *bufio.Reader) error {
	var name string
	var data []string
	first := true
	return eachLine(from, func(line string, whole bool) (bool, error) {
		if first {
			line, first = strings.TrimPrefix(line, "\ufeff"), false
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && whole:
			event, lines := name, data
			name, data = "", nil
			if lines == nil {
				return false, nil
			}
			return p.offer(event, strings.Join(lines, "\n"))
		case field == "event":
			name = value
		case field == "data":
			data = append(data, value)
		}
		return false, nil
	})
}

// jsonLines reads a JSON document a line. Empty lines are skipped, and so is what is
// around the document where it is announced as Server-Sent Events.
func (p parser) jsonLines(from *bufio.Reader) error {
	n := 0
	return eachLine(from, func(line string, _ bool) (bool, error) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		for _, field := range []string{":", "event:", "id:", "retry:"} {
			if strings.HasPrefix(line, field) {
				return false, nil
			}
		}
		line = strings.TrimSpace(strings.TrimPrefix(line, "data:"))
		if line == "" {
			return false, nil
		}
		doc, err := p.room.decode([]byte(line))
		if err != nil {
			return false, notInForm(err, fmt.Sprintf("line %d: ", n), []byte(line))
		}
		return p.take(event{text: line, doc: doc}), nil
	})
}

// eachLine calls do with each line, without its end, which is \n, \r\n or \r, and says
// whether it had one.
func eachLine(from *bufio.Reader, do func(line string, whole bool) (enough bool, err error)) error {
	for {
		text, readErr := from.ReadString('\n')
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return readErr
		}
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		for line := range strings.Lines(text) {
			line, whole := strings.CutSuffix(line, "\n")
			if enough, err := do(line, whole); enough || err != nil {
				return err
			}
		}
		if readErr != nil {
			return nil
		}
	}
}

// The flags of an envelope (connectrpc.com/docs/protocol, "Streaming RPCs").
const (
	compressed = 1
	isEnd      = 2
)

// envelopes reads the messages of a Connect stream, which is not whole without its last.
func (p parser) envelopes(from *bufio.Reader) error {
	for {
		var head [5]byte
		if _, err := io.ReadFull(from, head[:]); errors.Is(err, io.EOF) {
			return errors.New("the stream was cut: it has no end-of-stream message")
		} else if err != nil {
			return fmt.Errorf("the stream was cut: %w", err)
		}
		if head[0]&compressed != 0 || head[0] > isEnd {
			return fmt.Errorf("%w: an envelope with flags %d", ErrForm, head[0])
		}
		// The length is the target's word: only what really comes takes memory.
		length := int64(binary.BigEndian.Uint32(head[1:]))
		var text bytes.Buffer
		if n, err := io.Copy(&text, io.LimitReader(from, length)); err != nil || n < length {
			return fmt.Errorf("the stream was cut: %d of %d bytes of a message: %w", n, length,
				errors.Join(io.ErrUnexpectedEOF, err))
		}
		doc, err := p.room.decode(text.Bytes())
		if err != nil {
			return notInForm(err, "", text.Bytes())
		}
		name := ""
		if head[0] == isEnd {
			name = endOfStream
		}
		if p.take(event{name, text.String(), doc}) || name != "" {
			return nil
		}
	}
}

package driver

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/reapcheck/reapcheck/driver"
)

// read takes the driver's lines until its end. The first must be its hello.
func (p *Process) read(hello chan<- driver.FromDriver) {
	defer p.child.out.Close()
	from := bufio.NewReaderSize(p.child.out, 64<<10)
	for greeted := false; ; greeted = true {
		line, err := readLine(from, p.longest())
		if err == nil {
			err = p.take(line, greeted, hello)
		}
		if err != nil {
			p.fail(p.explain(err))
			break
		}
	}
	_, _ = io.Copy(io.Discard, from) // a driver that writes on is not held up at its end
}

// longest is how many bytes a line may have: JSON writes up to six for one of an output.
func (p *Process) longest() int { return 6*p.most + 64<<10 }

// errRubbish means that a line is no message.
var errRubbish = errors.New("what is for people belongs on standard error")

// readLine reads one line that must be an object. It stops at the first byte that cannot
// begin one, and at the limit.
func readLine(from *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > 0 && line[0] != '{':
			return nil, fmt.Errorf("it printed %.80q, which is no message: %w", line, errRubbish)
		case len(line) > limit:
			return nil, fmt.Errorf("it printed a line of more than %d bytes: %.80q", limit, line)
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, fmt.Errorf("its last line has no end: %.80q: %w", line, io.EOF)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// explain adds to an end of the output how the driver ended.
func (p *Process) explain(err error) error {
	if errors.Is(err, io.EOF) {
		how := p.child.how()
		p.child.reading.Wait()
		if err == io.EOF {
			return fmt.Errorf("%s%s", how, p.saidOnStderr())
		}
		return fmt.Errorf("%s: %w%s", how, err, p.saidOnStderr())
	}
	return fmt.Errorf("%w%s", err, p.saidOnStderr())
}

// parse reads a message. A key that there is not is an error: an answer that is meant
// and not understood would be held against the target.
func parse(line []byte) (driver.FromDriver, error) {
	var m driver.FromDriver
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&m)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value in a line")
		}
	}
	if err != nil {
		return m, fmt.Errorf("it printed %.80q, which is no message: %w", line, err)
	}
	return m, nil
}

func (p *Process) take(line []byte, greeted bool, hello chan<- driver.FromDriver) error {
	m, err := parse(line)
	switch {
	case err != nil:
		return err
	case m.Type == driver.TypeFailed:
		return fmt.Errorf("it gave up: %s", m.Message)
	case !greeted:
		if err := checkHello(m); err != nil {
			return err
		}
		hello <- m
		return nil
	case m.Type == driver.TypeSent:
		return p.noteSent(m.ID)
	case m.Type == driver.TypeAnswer:
		if err := checkAnswer(m); err != nil {
			return err
		}
	case m.Type != driver.TypeReady && m.Type != driver.TypePong:
		return fmt.Errorf("it printed a message of type %q: choose hello, ready, sent, answer, "+
			"pong or failed", m.Type)
	}
	return p.deliver(said{m, line})
}

var abilities = []string{
	driver.CanReady, driver.CanOutput, driver.CanMerged, driver.CanCwd, driver.CanEnv,
	driver.CanTimeout, driver.CanStdin, driver.CanAbandon, driver.CanKill,
}

func checkHello(m driver.FromDriver) error {
	switch {
	case m.Type != driver.TypeHello:
		return fmt.Errorf("its first message is of type %q: say hello first", m.Type)
	case m.Protocol != driver.Protocol:
		return fmt.Errorf("it speaks protocol %d, and this gate %d", m.Protocol, driver.Protocol)
	case m.Name == "":
		return errors.New("its hello has no name")
	}
	for _, can := range m.Can {
		if !slices.Contains(abilities, can) {
			return fmt.Errorf("it can %q, which is unknown: choose from %q", can, abilities)
		}
	}
	return nil
}

var wordsOfAnswers = []string{
	driver.Timeout, driver.StartError, driver.Unknown, driver.Refused, driver.Error,
}

func checkAnswer(m driver.FromDriver) error {
	given := 0
	for _, there := range []bool{m.ExitCode != nil, m.Signal != 0, m.Word != ""} {
		if there {
			given++
		}
	}
	_, err := base64.StdEncoding.DecodeString(m.OutputBase64)
	switch {
	case given != 1:
		return fmt.Errorf("its answer %d has %d of exitCode, signal and word: give just one", m.ID, given)
	case m.Word != "" && !slices.Contains(wordsOfAnswers, m.Word):
		return fmt.Errorf("its answer %d has the word %q: choose from %q", m.ID, m.Word, wordsOfAnswers)
	case m.Output != "" && m.OutputBase64 != "":
		return fmt.Errorf("its answer %d has both output and outputBase64: give just one", m.ID)
	case err != nil:
		return fmt.Errorf("its answer %d has an outputBase64 that is not Base64: %w", m.ID, err)
	}
	return nil
}

func (p *Process) noteSent(id int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[id]
	switch {
	case p.left[id]:
		return nil
	case c == nil || c.wants != driver.TypeAnswer:
		return fmt.Errorf("it says that command %d was sent, which it was not asked for", id)
	}
	select {
	case <-c.sent:
		return fmt.Errorf("it says twice that command %d was sent", id)
	default:
		close(c.sent)
	}
	return nil
}

// deliver hands a message to who waits for it. Each ID has one answer.
func (p *Process) deliver(m said) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left[m.ID] {
		delete(p.left, m.ID)
		return nil
	}
	c := p.calls[m.ID]
	if c == nil || c.wants != m.Type {
		return fmt.Errorf("it sent %s %d, for which nothing waits: each ID has one answer", m.Type, m.ID)
	}
	delete(p.calls, m.ID)
	c.answer <- m
	return nil
}

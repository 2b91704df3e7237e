package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// talk is the conversation about one command.
type talk struct {
	client  *Client
	request dialect.Request
	begun   *dialect.Conversation
	hangUp  context.CancelFunc
	raw     bytes.Buffer // what came
	keep    bool         // all of it

	step  dialect.Step // that is asked
	asked int          // how often
	once  sync.Once    // the command was written
	kill  sync.WaitGroup
	whole context.Context // of the steps and of what is asked beside them
}

// heardError is what is wrong with an answer that came: the dialect's words for it hold.
type heardError struct{ error }

func (e *heardError) Unwrap() error { return e.error }

// steps asks all of them, up to the first that does not lead on.
func (t *talk) steps(ctx context.Context) error {
	t.whole = ctx
	ctx, stop := context.WithCancel(ctx)
	defer stop() // there is nothing left to hang up on, or to kill
	all := t.client.dialect.Steps()
	for _, s := range all {
		t.step, t.asked = s, 0
		if err := t.ask(ctx, s); err != nil {
			var heard *heardError
			if len(all) > 1 && !errors.As(err, &heard) {
				return fmt.Errorf("step %s: %w", s.Name, err)
			}
			return err
		}
	}
	return nil
}

// ask asks one step until its answer is the one that it waits for.
func (t *talk) ask(ctx context.Context, s dialect.Step) error {
	for {
		if err := t.exchange(ctx, s); err != nil {
			return err
		}
		done, err := t.begun.Done()
		if err != nil && len(t.client.dialect.Steps()) == 1 && len(s.Until) == 0 &&
			len(s.Keep) == 0 {
			return nil // the dialect's words are all that there is to say
		}
		if done || err != nil {
			return heard(err)
		}
		pause := time.NewTimer(s.Pause(t.asked))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
		t.asked++
	}
}

// heard marks an error as one of an answer that came.
func heard(err error) error {
	if err == nil {
		return nil
	}
	return &heardError{err}
}

// exchange asks once and takes the answer.
func (t *talk) exchange(ctx context.Context, s dialect.Step) error {
	m, err := t.begun.Compose(s, 0)
	if err != nil {
		return err
	}
	var sent func() // nil where nothing counts from then
	if m.Command && (t.request.HangUpAfter > 0 || t.client.dialect.Kills()) {
		sent = func() { t.once.Do(func() { t.begin(ctx) }) }
	}
	if s.Form == dialect.WebSocket {
		return t.socket(ctx, m, sent)
	}
	var resp *http.Response
	if t.request.Unusual() || t.request.Reset || t.request.Alone {
		resp, err = t.client.openOwn(ctx, m, t.request, sent)
	} else {
		resp, err = t.client.open(ctx, m, sent)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	t.note(s, resp.Status)
	t.begun.Take(s, resp.StatusCode, resp.Header)
	most := t.client.most
	var body io.Reader = &limited{resp.Body, most, most}
	if t.keep {
		body = io.TeeReader(body, &t.raw)
	}
	err = t.begun.Hear(body)
	switch {
	case errors.Is(err, dialect.ErrForm):
		return heard(err)
	case err != nil:
		return errors.Join(ctx.Err(), err)
	}
	return nil
}

// note begins a step's part of what came. Of one that is repeated the last is kept.
func (t *talk) note(s dialect.Step, status string) {
	if len(t.client.dialect.Steps()) == 1 {
		t.raw.Reset()
		return
	}
	if t.asked > 0 {
		t.raw.Truncate(max(0, bytes.LastIndex(t.raw.Bytes(), []byte("\n"+s.Name+": "))))
	}
	fmt.Fprintf(&t.raw, "\n%s: %s ", s.Name, status)
}

// begin starts the clocks that count from the moment at which the target was asked: a
// target that has not been asked yet has nothing to abandon, however long a busy machine
// takes to connect.
func (t *talk) begin(ctx context.Context) {
	if after := t.request.HangUpAfter; after > 0 {
		timer := time.AfterFunc(after, t.hangUp)
		context.AfterFunc(ctx, func() { timer.Stop() })
	}
	if t.request.Timeout > 0 && t.client.dialect.Kills() {
		t.kill.Go(func() { t.killAfter(ctx, t.request.Timeout) })
	}
}

// killAfter ends the command where no field of a request could say its timeout. A kill that
// has been asked for is waited for: the command's own answer may well come first.
func (t *talk) killAfter(ctx context.Context, timeout time.Duration) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	kill := *t.client.dialect.Request.Kill
	for n := 0; ; n++ {
		ok, err := t.aside(t.whole, kill, unix.SIGKILL)
		if ok {
			t.begun.Killed()
		}
		if !errors.Is(err, dialect.ErrNothing) {
			return
		}
		timer.Reset(kill.Pause(n)) // its ID is still to come
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// cleanUpLimit bounds all steps that follow the last: nothing waits for their answers.
const cleanUpLimit = 5 * time.Second

// cleanUp asks for what has to follow whatever came of the command, past its deadline
// too. A step of which the values were never there is left out.
func (t *talk) cleanUp(ctx context.Context) error {
	if len(t.client.dialect.Request.Cleanup) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
	defer cancel()
	for _, s := range t.client.dialect.Request.Cleanup {
		// What a target says of it is no answer to the command.
		if _, err := t.aside(ctx, s, 0); err != nil && !errors.Is(err, dialect.ErrNothing) {
			return heard(fmt.Errorf("step %s: %v", s.Name, err))
		}
	}
	return nil
}

// aside asks for something beside the command, and says whether that was done.
func (t *talk) aside(ctx context.Context, s dialect.Step, signal unix.Signal) (bool, error) {
	m, err := t.begun.Compose(s, signal)
	if err != nil {
		return false, err
	}
	resp, err := t.client.open(ctx, m, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, minAnswer))
	return err == nil && s.Expects(resp.StatusCode), err
}

// unanswered says of what there was no answer by the deadline.
func (t *talk) unanswered() string {
	const text = "no answer by the deadline"
	switch {
	case t.client.dialect.Simple():
		return text
	case t.asked > 0:
		return fmt.Sprintf("%s to step %s: asked %d times, last came %s", text, t.step.Name,
			t.asked, t.begun.State())
	}
	return fmt.Sprintf("%s to step %s; before it came %s", text, t.step.Name, t.begun.State())
}

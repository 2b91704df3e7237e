package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// socket speaks over a WebSocket until its step has what it wants, or the target closes it.
func (t *talk) socket(ctx context.Context, m dialect.Message, sent func()) error {
	conn, resp, err := websocket.Dial(ctx, t.client.base+m.Path,
		&websocket.DialOptions{HTTPClient: t.client.http, HTTPHeader: m.Header})
	if err != nil {
		return t.notOpened(ctx, resp, err)
	}
	defer conn.CloseNow()
	t.note(t.step, resp.Status)
	t.begun.Take(t.step, resp.StatusCode, resp.Header)
	unsent := send(ctx, conn, m.Send)
	if sent != nil {
		sent()
	}
	conn.SetReadLimit(int64(t.client.most))
	for left := t.client.most; ; {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			if err = t.closed(ctx, err); err != nil && ctx.Err() == nil {
				err = cmp.Or(unsent, err)
			}
			return err
		}
		if left -= len(text); left < 0 {
			return tooLong(t.client.most)
		}
		if t.keep {
			t.raw.Write(append(text, '\n'))
		}
		name := dialect.TextMessage
		if kind == websocket.MessageBinary {
			name = dialect.BinaryMessage
		}
		if enough, err := t.begun.HearMessage(name, text); enough || err != nil {
			return err
		}
	}
}

// send writes the messages. That a target has gone meanwhile need not be the end: it may
// have said all before a slow client wrote its first word.
func send(ctx context.Context, conn *websocket.Conn, all [][]byte) error {
	for _, text := range all {
		if err := conn.Write(ctx, websocket.MessageText, text); err != nil {
			return fmt.Errorf("write to the WebSocket: %w", err)
		}
	}
	return nil
}

// notOpened is an answer over HTTP in the place of a WebSocket.
func (t *talk) notOpened(ctx context.Context, resp *http.Response, err error) error {
	if ctx.Err() != nil || resp == nil {
		return errors.Join(ctx.Err(), err)
	}
	t.note(t.step, resp.Status)
	t.begun.Take(t.step, resp.StatusCode, resp.Header)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return err
	}
	return t.begun.Hear(resp.Body) // the library has read as much of it as it keeps
}

// closed takes the end of a WebSocket: one that was told in its place is an answer too.
func (t *talk) closed(ctx context.Context, err error) error {
	var end websocket.CloseError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, websocket.ErrMessageTooBig):
		return tooLong(t.client.most)
	case !errors.As(err, &end):
		return fmt.Errorf("the WebSocket was cut: %w", err)
	}
	text, err := json.Marshal(map[string]any{"code": end.Code, "reason": end.Reason})
	if err != nil {
		return err
	}
	enough, err := t.begun.HearMessage(dialect.Closed, text)
	if err != nil {
		return err
	}
	if enough || end.Code == websocket.StatusNormalClosure ||
		end.Code == websocket.StatusNoStatusRcvd {
		return nil
	}
	return heard(fmt.Errorf("the WebSocket was closed with code %d %q", end.Code, end.Reason))
}

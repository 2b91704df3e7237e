package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf16"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// restsFor is how long a connection rests between two requests: far less than servers say
// that they keep one (Node.js and uvicorn five seconds, gunicorn two).
const restsFor = 300 * time.Millisecond

// writeAs writes a request in a way of its own. Where that takes a connection that goes on
// and the target has said that this one does not, again is true: the caller asks on
// another one.
func (c *Client) writeAs(ctx context.Context, way dialect.Way, conn net.Conn, from *bufio.Reader,
	req *http.Request, m dialect.Message) (again bool, err error) {
	switch way {
	case dialect.Chunked:
		req.ContentLength, req.TransferEncoding = -1, []string{"chunked"}
	case dialect.Expects:
		req.Header.Set("Expect", "100-continue")
	case dialect.Charset:
		if kind := req.Header.Get("Content-Type"); kind != "" {
			req.Header.Set("Content-Type", kind+"; charset=utf-8")
		}
	case dialect.Version0:
		var written bytes.Buffer
		if err := req.Write(&written); err != nil {
			return false, err
		}
		_, err := conn.Write(bytes.Replace(written.Bytes(), []byte(" HTTP/1.1\r\n"),
			[]byte(" HTTP/1.0\r\n"), 1))
		return false, err
	case dialect.Escaped:
		body := escaped(m.Body)
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	case dialect.Again:
		if goesOn, err := c.askedBefore(ctx, conn, from, m); err != nil || !goesOn {
			return err == nil, err
		}
	}
	return false, req.Write(conn)
}

// askedBefore asks once and lets the connection rest. It goes on unless the target says
// otherwise.
func (c *Client) askedBefore(ctx context.Context, conn net.Conn, from *bufio.Reader,
	m dialect.Message) (goesOn bool, err error) {
	first, err := c.request(ctx, m)
	if err != nil {
		return false, err
	}
	if err := first.Write(conn); err != nil {
		return false, err
	}
	resp, err := finalResponse(from, first)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, minAnswer)); err != nil {
		return false, err
	}
	if err := resp.Body.Close(); err != nil || resp.Close {
		return false, err
	}
	rest := time.NewTimer(restsFor)
	defer rest.Stop()
	select {
	case <-rest.C:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// escaped is a JSON value in ASCII; what is no JSON stays as it is.
func escaped(body []byte) []byte {
	if !json.Valid(body) {
		return body
	}
	var ascii bytes.Buffer
	for _, r := range string(body) {
		if r < 0x80 {
			ascii.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&ascii, "\\u%04x", unit)
		}
	}
	return ascii.Bytes()
}

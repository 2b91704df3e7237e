package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// restsFor is how long a connection rests between two requests: far less than servers say
// that they keep one (Node.js and uvicorn five seconds, gunicorn two).
const restsFor = 300 * time.Millisecond

const (
	// aheadBy is how long the first of two requests has until the second comes.
	aheadBy = 100 * time.Millisecond
	// deafFor is how long an answer is not read: longer than it takes over any line.
	deafFor = 3 * time.Second
)

// writeAs writes a request in a way of its own. Where that takes a connection that goes on
// and the target has said that this one does not, again is true: the caller asks on
// another one.
func (c *Client) writeAs(ctx context.Context, r dialect.Request, conn net.Conn,
	from *bufio.Reader, req *http.Request, m dialect.Message) (again bool, err error) {
	switch r.Way {
	case dialect.Chunked:
		req.ContentLength, req.TransferEncoding = -1, []string{"chunked"}
	case dialect.Expects:
		req.Header.Set("Expect", "100-continue")
	case dialect.Charset:
		if kind := req.Header.Get("Content-Type"); kind != "" {
			req.Header.Set("Content-Type", kind+"; charset=utf-8")
		}
	case dialect.Closing:
		req.Close = true
	case dialect.Upgrades:
		req.Header.Set("Connection", "Upgrade, HTTP2-Settings")
		req.Header.Set("Upgrade", "h2c")
		req.Header.Set("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA")
	case dialect.Named:
		req.Host = "sandbox.example" // RFC 2606: nobody's
	case dialect.Fetch:
		req.Header.Set("Sec-Fetch-Mode", "cors")
	case dialect.Laden:
		for name, value := range ladenWith {
			req.Header.Set(name, value)
		}
	case dialect.Newline:
		replaceBody(req, append(bytes.Clone(m.Body), '\n'))
	case dialect.More:
		replaceBody(req, withMore(m.Body))
	case dialect.Version0:
		var written bytes.Buffer
		if err := req.Write(&written); err != nil {
			return false, err
		}
		_, err := conn.Write(bytes.Replace(written.Bytes(), []byte(" HTTP/1.1\r\n"),
			[]byte(" HTTP/1.0\r\n"), 1))
		return false, err
	case dialect.Escaped:
		replaceBody(req, escaped(m.Body))
	case dialect.Spaced:
		var body bytes.Buffer
		if json.Indent(&body, m.Body, "", "\t") == nil {
			body.WriteByte('\n')
			replaceBody(req, body.Bytes())
		}
	case dialect.Slowly:
		return false, readsSlowly(ctx, conn, req, r.HalfClose)
	case dialect.Piece:
		return false, writesSlowly(ctx, conn, req)
	case dialect.Nonsense:
		c.askInVain(ctx, conn, from, m, nonsense(m.Body))
		return true, nil
	case dialect.Mistaken:
		full, err := c.full()
		if err != nil {
			return false, err
		}
		c.askInVain(ctx, conn, from, full, mistaken(full.Body))
		return true, nil
	case dialect.Ahead:
		if goesOn, err := c.askedAhead(ctx, conn, from, req, m); err != nil || !goesOn {
			return err == nil, err
		}
		return false, nil
	case dialect.Again, dialect.Failed:
		before, err := c.before(r.Way, m)
		if err != nil {
			return false, err
		}
		if goesOn, err := c.askedBefore(ctx, conn, from, before); err != nil || !goesOn {
			return err == nil, err
		}
	}
	return false, req.Write(conn)
}

// ladenWith are headers as gateways add them, the same to each request: they are many, some are
// long, and none says anything of the command. What a client does not accept it is not sent
// (RFC 9110, 12.5.3).
var ladenWith = map[string]string{
	"X-Request-Context": strings.Repeat("x", 6<<10),
	"Cookie":            "session=" + strings.Repeat("x", 6<<10),
	"X-Request-Id":      "reapcheck",
	"X-Correlation-Id":  "reapcheck",
	"X-Forwarded-For":   "192.0.2.1, 198.51.100.7",
	"Accept-Encoding":   "gzip;q=0, deflate;q=0, br;q=0, zstd;q=0, identity",
}

func replaceBody(req *http.Request, body []byte) {
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// withMore is a JSON object with a field more; what is none stays as it is.
func withMore(body []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return body
	}
	fields["reapcheck"] = json.RawMessage("null")
	more, _ := json.Marshal(fields)
	return more
}

// askedBefore asks once and lets the connection rest. It goes on unless the target says
// otherwise.
func (c *Client) askedBefore(ctx context.Context, conn net.Conn, from *bufio.Reader,
	m dialect.Message) (goesOn bool, err error) {
	if goesOn, err := c.askOnce(ctx, conn, from, m); err != nil || !goesOn {
		return false, err
	}
	return true, restFor(ctx, restsFor)
}

// before is what is asked first on the same connection: the same, or a command that cannot be
// started. Whatever is answered is right.
func (c *Client) before(way dialect.Way, m dialect.Message) (dialect.Message, error) {
	if way == dialect.Again {
		return m, nil
	}
	return c.composed(dialect.Request{Script: ":", Cwd: "/nonexistent"})
}

// composed is the first step of a conversation of its own.
func (c *Client) composed(r dialect.Request) (dialect.Message, error) {
	return c.dialect.Begin(r).Compose(c.dialect.Steps()[0], 0)
}

// askOnce asks, and passes over the answer.
func (c *Client) askOnce(ctx context.Context, conn net.Conn, from *bufio.Reader,
	m dialect.Message) (goesOn bool, err error) {
	req, err := c.request(ctx, m)
	if err != nil {
		return false, err
	}
	if err := req.Write(conn); err != nil {
		return false, err
	}
	return passOver(from, req)
}

// askedAhead asks twice, the second time while the first one's command runs, and passes over
// the first answer.
func (c *Client) askedAhead(ctx context.Context, conn net.Conn, from *bufio.Reader,
	req *http.Request, m dialect.Message) (goesOn bool, err error) {
	first, err := c.request(ctx, m)
	if err != nil {
		return false, err
	}
	if err := errors.Join(first.Write(conn), restFor(ctx, aheadBy), req.Write(conn)); err != nil {
		return false, err
	}
	return passOver(from, first)
}

// readsSlowly asks, and leaves the answer unread for a while: the kernel takes a little of it.
// Who closes the sending side does so meanwhile, when the answer is stuck. The connection ends
// with the answer: what is still to be sent then is lost with it if that is done in haste
// (socket(7), SO_LINGER).
func readsSlowly(ctx context.Context, conn net.Conn, req *http.Request, half bool) error {
	req.Close = true
	err := errors.Join(req.Write(conn), restFor(ctx, deafFor/2))
	if half {
		closeSending(conn)
	}
	return errors.Join(err, restFor(ctx, deafFor/2))
}

// pieces is into how many parts a request's body is cut, with a rest of pieceRest behind each.
// The first one comes with the head.
const (
	pieces    = 4
	pieceRest = 900 * time.Millisecond
)

// writesSlowly takes longer for the request than a server waits that knows local clients.
func writesSlowly(ctx context.Context, conn net.Conn, req *http.Request) error {
	var whole bytes.Buffer
	if err := req.Write(&whole); err != nil {
		return err
	}
	head := bytes.Index(whole.Bytes(), []byte("\r\n\r\n")) + len("\r\n\r\n")
	for left := pieces; left > 0; left-- {
		next := (whole.Len() - head) / left
		if _, err := conn.Write(whole.Next(head + next)); err != nil {
			return err
		}
		head = 0
		if err := restFor(ctx, pieceRest); err != nil {
			return err
		}
	}
	return nil
}

// inVainLimit is for all answers to what is asked in vain. What is asked then counts.
const inVainLimit = 5 * time.Second

// askInVain sends bodies that are no request, on one connection for as long as that lasts.
// Whatever is answered, or not, is right.
func (c *Client) askInVain(ctx context.Context, conn net.Conn, from *bufio.Reader,
	m dialect.Message, bodies [][]byte) {
	ctx, cancel := context.WithTimeout(ctx, inVainLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // which nothing more is asked on
	for _, m.Body = range bodies {
		if goesOn, err := c.askOnce(ctx, conn, from, m); err != nil || !goesOn {
			return
		}
	}
}

// nonsense are bodies that are no request.
func nonsense(body []byte) [][]byte {
	return [][]byte{asNumbers(body), []byte("null"), []byte("[]"), []byte(`"text"`), []byte("{"), nil,
		[]byte("\x00\xff")}
}

// full asks for all that a request can hold.
func (c *Client) full() (dialect.Message, error) {
	return c.composed(dialect.Request{
		Script:  ":",
		Cwd:     "/proc",
		Env:     map[string]string{"REAPCHECK_GIVEN": "in vain"},
		Stdin:   new("in vain\n"),
		Timeout: c.dialect.Timeout(mistakenLimit),
	})
}

// mistakenLimit is the timeout of a command that is not to run.
const mistakenLimit = 200 * time.Millisecond

// mistaken are JSON objects with one value each of a kind that it cannot have; what is none stays
// as it is.
func mistaken(body []byte) (all [][]byte) {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return [][]byte{body}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		fields[name] = map[string]any{"in": []string{"vain"}}
		if _, is := value.(map[string]any); is {
			fields[name] = "in vain"
		}
		wrong, _ := json.Marshal(fields)
		all, fields[name] = append(all, wrong), value
	}
	return all
}

// asNumbers is a JSON object with a number in the place of each value.
func asNumbers(body []byte) []byte {
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return body[:len(body)/2]
	}
	for name := range fields {
		fields[name] = 7
	}
	numbers, _ := json.Marshal(fields)
	return numbers
}

// passOver reads an answer and says whether the connection goes on.
func passOver(from *bufio.Reader, asked *http.Request) (goesOn bool, err error) {
	resp, err := finalResponse(from, asked)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, minAnswer)); err != nil {
		return false, err
	}
	if err := resp.Body.Close(); err != nil || resp.Close {
		return false, err
	}
	return true, nil
}

func restFor(ctx context.Context, d time.Duration) error {
	rest := time.NewTimer(d)
	defer rest.Stop()
	select {
	case <-rest.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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

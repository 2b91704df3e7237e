package dialect

import (
	"bytes"
	"net/http"
)

// Written is the request for a command as HTTP/1.1 writes it, for clients that do with it
// what net/http's does not. It is nil where a command is not asked for by one HTTP request.
func (d Dialect) Written(r Request) []byte {
	if !d.Simple() {
		return nil
	}
	m, err := d.Begin(r).Compose(d.steps[0], 0)
	if err != nil {
		return nil
	}
	req, err := http.NewRequest(m.Method, "http://target"+m.Path, bytes.NewReader(m.Body))
	if err != nil {
		return nil
	}
	req.Header = m.Header
	var written bytes.Buffer
	if req.Write(&written) != nil {
		return nil
	}
	return written.Bytes()
}

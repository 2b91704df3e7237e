package dialect

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// fuzzed are dialects in which each form is read, with places and words of each kind.
func fuzzed(t testing.TB) map[Form]Dialect {
	all := map[Form]Dialect{}
	for _, form := range []Form{JSON, Text, JSONLines, SSE, Connect} {
		d, err := Parse("d.yaml", fmt.Appendf(nil, `
port: 80
request: {path: /run, body: {command: <command>}}
response:
  form: %s
  exitCode:
  - {at: /type, where: {/type: done}, means: 0}
  - {at: /code, as: text}
  signal: /signal
  output: [/output/*/data, {at: "", event: out}]
  encoding: base64
  newlines: crlf
  error: /error
words:
  unknown: [{exitCode: -1}]
  timeout: [{event: end-of-stream, at: /error/code, is: late}]
  startError: [{at: /error, has: no such}]
  signal: -n
`, form))
		if err != nil {
			t.Fatal(err)
		}
		all[form] = d
	}
	return all
}

// heardOf is what a body is taken apart into, with little room.
func heardOf(form Form, body io.Reader) (texts []string, err error) {
	left := roomFor(1 << 20)
	p := parser{&left, func(e event) bool {
		texts = append(texts, fmt.Sprintf("%q %q %v", e.name, e.text, e.doc))
		return false
	}}
	err = p.read(form, body)
	return texts, err
}

// A body is read alike however it comes, nothing in it breaks the reader, and what is cut
// off by the connection is never an exit code.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\r", "7", "{", "[", `"`, "null", "\xff\xfe", "\ufeff{}",
		`{"code":7,"output":[{"data":"eA0K"}]}`, `{"code":"7"}`, `{"code":1e99}`, `{"code":[]}`,
		`{"type":"done"}`, `{"signal":"SIGKILL"}`, `{"signal":"signal: killed (core dumped)"}`,
		`{"signal":-9,"code":-9}`, `{"output":[{"data":"%"}],"code":0}`, `{"code":7}{"code":8}`,
		"{\"code\":7}\n\n{\"code\":8}", "data: {\"code\":7}\n\n", "event: out\ndata: x\r\n\r\n",
		"event: message\nid: 1\nretry: 5\n: note\ndata: 1\ndata: 2\n\n",
		"\x00\x00\x00\x00\x0a{\"code\":7}\x02\x00\x00\x00\x02{}", "\x02\x00\x00\x00\x02{}",
		"\x00\xff\xff\xff\xff{}", "\x01\x00\x00\x00\x02{}", "\x00\x00\x00",
		"\x02\x00\x00\x00\x19{\"error\":{\"code\":\"late\"}}", strings.Repeat("[", 20000),
		strings.Repeat("{},", 1000), "data\n\n", strings.Repeat("1\n", 1000),
	} {
		f.Add([]byte(seed))
	}
	dialects := fuzzed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for form, d := range dialects {
			whole, err := heardOf(form, bytes.NewReader(body))
			slow, slowErr := heardOf(form, iotest.OneByteReader(bytes.NewReader(body)))
			if fmt.Sprint(whole, err) != fmt.Sprint(slow, slowErr) {
				t.Errorf("%s: %v, %v at once, and %v, %v byte by byte", form, whole, err, slow, slowErr)
			}
			if got := d.Read(200, body); got.Known && got.Unknown ||
				!got.Known && got.Message == "" {
				t.Errorf("%s: %+v", form, got)
			}
			c := d.Begin(Request{})
			c.Take(d.steps[0], 200, nil)
			cut := io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
			if err := c.Hear(cut); err == nil {
				if !endsItself(form, body) {
					t.Errorf("%s: the end of a body that was cut is no error", form)
				}
			} else if got := c.Answer(err); got.Known {
				t.Errorf("%s: %+v", form, got)
			}
		}
	})
}

// endsItself says whether a body says that it is whole, so that nothing is read behind it.
func endsItself(form Form, body []byte) bool {
	texts, err := heardOf(form, bytes.NewReader(body))
	return form == Connect && err == nil && len(texts) > 0
}

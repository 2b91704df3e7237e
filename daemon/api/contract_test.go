package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// contract holds what is answered against the document, whose schemas are JSON
// Schema 2020-12 as OpenAPI 3.1 has it, and notes which kinds of answer it has
// met.
type contract struct {
	compiler *jsonschema.Compiler
	paths    map[string]map[string]operation
	shared   map[string]documentedAnswer
	// documented and seen are operations such as "GET /version" and answers
	// such as "GET /version 200".
	operations, documented, seen map[string]bool
	// codes are those that the document lists, and whether one was met.
	codes map[string]bool
}

type operation struct {
	Responses map[string]documentedAnswer
}

type documentedAnswer struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     map[string]struct{ Required bool }
	Content     map[string]any
}

const documentURL = "openapi.json"

func newContract(t *testing.T) *contract {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct{ Responses map[string]documentedAnswer }
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	c := &contract{
		jsonschema.NewCompiler(), doc.Paths, doc.Components.Responses,
		map[string]bool{}, map[string]bool{}, map[string]bool{}, codesOf(t),
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err == nil {
		err = c.compiler.AddResource(documentURL, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	for path, operations := range doc.Paths {
		for method, o := range operations {
			name := strings.ToUpper(method) + " " + path
			c.operations[name] = true
			for status := range o.Responses {
				c.documented[name+" "+status] = true
			}
		}
	}
	return c
}

// at is a place in the document, as a JSON pointer.
func at(steps ...string) string {
	pointer := documentURL + "#"
	for _, step := range steps {
		pointer += "/" + strings.ReplaceAll(step, "/", "~1")
	}
	return pointer
}

// response finds what the document says of an answer, and where its schema is.
func (c *contract) response(method, path, status string) (documentedAnswer, string) {
	r := c.paths[path][method].Responses[status]
	place := []string{"paths", path, method, "responses", status}
	if name, shared := strings.CutPrefix(r.Ref, "#/components/responses/"); shared {
		r, place = c.shared[name], []string{"components", "responses", name}
	}
	return r, at(append(place, "content", "application/json", "schema")...)
}

// strict is the schema at a place, which then allows no field that it does not
// name.
func (c *contract) strict(t *testing.T, place string) *jsonschema.Schema {
	t.Helper()
	wrapper := "strict-" + strings.NewReplacer("#", "", "/", "-").Replace(place)
	err := c.compiler.AddResource(wrapper,
		map[string]any{"$ref": place, "unevaluatedProperties": false})
	if err != nil && !errors.As(err, new(*jsonschema.ResourceExistsError)) {
		t.Fatal(err)
	}
	schema, err := c.compiler.Compile(wrapper)
	if err != nil {
		t.Fatalf("%s: %v", place, err)
	}
	return schema
}

// codesOf lists the values that the document allows for a Problem's code.
func codesOf(t *testing.T) map[string]bool {
	t.Helper()
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties struct {
					Code struct {
						Const string
						Enum  []string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, schema := range doc.Components.Schemas {
		for _, code := range append(schema.Properties.Code.Enum, schema.Properties.Code.Const) {
			if code != "" {
				codes[code] = false
			}
		}
	}
	return codes
}

// check compares one answer with the document.
func (c *contract) check(t *testing.T, req *http.Request, res *http.Response) {
	t.Helper()
	body, err := jsonschema.UnmarshalJSON(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	path, status := req.URL.Path, res.Status[:3]
	documented, place := c.response(strings.ToLower(req.Method), path, status)
	if documented.Description == "" {
		t.Errorf("%s %s: %s is not documented", req.Method, path, status)
		return
	}
	if kind, _, _ := mime.ParseMediaType(
		res.Header.Get("Content-Type")); documented.Content[kind] == nil {
		t.Errorf("%s %s: %s has the type %q", req.Method, path, status, kind)
	}
	for name, header := range documented.Headers {
		if header.Required && res.Header.Get(name) == "" {
			t.Errorf("%s %s: %s has no header %s", req.Method, path, status, name)
		}
	}
	schema := c.strict(t, place)
	if path == "/openapi.json" && status == "200" { // OpenAPI names more fields than the schema
		schema, err = c.compiler.Compile(place)
	}
	if err == nil {
		err = schema.Validate(body)
	}
	if err != nil {
		t.Errorf("%s %s: %s %.300v\n%v", req.Method, path, status, body, err)
	}
	c.seen[req.Method+" "+path+" "+status] = true
	if fields, ok := body.(map[string]any); ok {
		if code, ok := fields["code"].(string); ok {
			c.codes[code] = true
		}
	}
}

// Each schema of the document compiles, which its references have to be right
// for, and each operation says what it answers.
func TestDocumentIsWhole(t *testing.T) {
	c := newContract(t)
	for answer := range c.documented {
		method, rest, _ := strings.Cut(answer, " ")
		path, status, _ := strings.Cut(rest, " ")
		documented, place := c.response(strings.ToLower(method), path, status)
		if documented.Description == "" {
			t.Errorf("%s is not described", answer)
		}
		c.strict(t, place)
	}
}

func TestEveryRouteIsDocumented(t *testing.T) {
	routes := map[string]bool{}
	for _, r := range (&Server{}).engine().Routes() {
		if !strings.HasPrefix(r.Path, "/debug/faultpoints") { // in the test build alone
			routes[r.Method+" "+r.Path] = true
		}
	}
	if documented := newContract(t).operations; !maps.Equal(routes, documented) {
		t.Errorf("served: %q\ndocumented: %q", sorted(routes), sorted(documented))
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// panicking is a strategy with a fault of its own.
type panicking struct{ failing }

func (panicking) Start(*exec.Cmd) (process.Child, error) { panic("a fault") }

// Every kind of answer that the document has is brought about, and every answer
// is one that it has.
func TestAnswersAreAsDocumented(t *testing.T) {
	c := newContract(t)
	for _, step := range []struct {
		strategy process.Strategy // nil for the registry
		options  Options
		method   string
		path     string
		body     string
		header   [2]string
		status   int
	}{
		{body: `{"command":"echo a; exit 3"}`, status: 200},
		{body: `{"command":"kill -9 $$"}`, status: 200},
		{body: `{"command":"printf '\\377'"}`, status: 200},
		{body: `{"command":"head -c 5000 /dev/zero | tr '\\0' x"}`, status: 200},
		{strategy: ended{process.ErrStatusUnknown}, body: `{"command":"true"}`, status: 200},
		{body: `{"command":`, status: 400},
		{body: `{"command":""}`, status: 400},
		{body: `{"command":"true","cwd":"/nonexistent"}`, status: 400},
		{strategy: failing{syscall.E2BIG}, body: `{"command":"true"}`, status: 400},
		{options: Options{Token: "secret"}, body: `{"command":"true"}`, status: 401},
		{
			header: [2]string{"Origin", "https://example.com"},
			body:   `{"command":"true"}`,
			status: 403,
		},
		{body: `{"command":"echo a; sleep 60","timeout":0.1}`, status: 408},
		{options: Options{MaxBody: 10}, body: `{"command":"true"}`, status: 413},
		{options: Options{MaxBody: 30}, body: `{"command":"true","stdin":"of the body"}`, status: 413},
		{strategy: ended{process.ErrStatusLost}, body: `{"command":"true"}`, status: 500},
		{strategy: failing{errors.New("no shell")}, body: `{"command":"true"}`, status: 500},
		{strategy: panicking{}, body: `{"command":"true"}`, status: 500},
		{strategy: failing{syscall.EAGAIN}, body: `{"command":"true"}`, status: 503},
		{strategy: failing{process.ErrShuttingDown}, body: `{"command":"true"}`, status: 503},
		{method: "GET", path: "/healthz", status: 200},
		{options: Options{Token: "secret"}, method: "GET", path: "/healthz", status: 200},
		{method: "GET", path: "/version", status: 200},
		{options: Options{Token: "secret"}, method: "GET", path: "/version", status: 401},
		{method: "GET", path: "/debug/processes", status: 200},
		{options: Options{Token: "secret"}, method: "GET", path: "/debug/processes", status: 401},
		{method: "GET", path: "/openapi.json", status: 200},
		{options: Options{Token: "secret"}, method: "GET", path: "/openapi.json", status: 401},
	} {
		if step.path == "" {
			step.method, step.path = "POST", "/process/execute"
		}
		// Two registries at a time would take each other's children.
		t.Run(fmt.Sprint(step.method, step.path, step.status), func(t *testing.T) {
			if step.strategy == nil {
				step.strategy = process.NewRegistry(slog.New(slog.DiscardHandler))
			}
			step.options.Version, step.options.Strategy = "v1", "registry"
			req := request(t, step.method, serve(t, step.strategy, step.options)+step.path,
				strings.NewReader(step.body))
			if step.header[0] != "" {
				req.Header.Set(step.header[0], step.header[1])
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != step.status {
				t.Errorf("%s: status %d", step.body, res.StatusCode)
			}
			c.check(t, req, res)
		})
	}
	checkStrays(t, c)
	if !maps.Equal(c.seen, c.documented) {
		t.Errorf("answered: %q\ndocumented: %q", sorted(c.seen), sorted(c.documented))
	}
	for code, met := range c.codes {
		if !met {
			t.Errorf("the document has the code %s, which nothing answered", code)
		}
	}
}

// checkStrays asks for what the document has no operation for. It says in words
// what comes back, and has a schema for it.
func checkStrays(t *testing.T, c *contract) {
	t.Helper()
	handler := New(process.NewExecutor(&process.None{}, process.Options{}), Options{},
		slog.New(slog.DiscardHandler))
	for _, stray := range []struct {
		method, path, code string
		status             int
	}{
		{"GET", "/nowhere", "NOT_FOUND", 404},
		{"DELETE", "/healthz", "METHOD_NOT_ALLOWED", 405},
		{"GET", "/process/execute", "METHOD_NOT_ALLOWED", 405},
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(stray.method, stray.path, nil))
		decoder := json.NewDecoder(recorder.Body)
		decoder.DisallowUnknownFields()
		var problem Problem
		err := decoder.Decode(&problem)
		if _, known := c.codes[stray.code]; err != nil || !known || recorder.Code != stray.status ||
			problem.Code != stray.code || problem.Message == "" {
			t.Errorf("%s %s: %d %+v, %v", stray.method, stray.path, recorder.Code, problem, err)
		}
		c.codes[problem.Code] = true
	}
}

// What the document lets pass the decoder takes, and the other way round.
func TestRequestsAreAsDocumented(t *testing.T) {
	schema, err := newContract(t).compiler.Compile(at("paths", "/process/execute", "post",
		"requestBody", "content", "application/json", "schema"))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"command":"ls"}`, `{"command":" ls\n"}`, `{"command":"ls","cwd":"/"}`,
		`{"command":"ls","cwd":""}`,
		`{"command":"ls","cwd":null,"timeout":null,"envs":null}`, `{"command":"ls","envs":{}}`,
		`{"command":"ls","envs":{"A":"b","B":""}}`,
		`{"command":"ls","envs":{"A":null}}`, `{"command":"ls","timeout":0}`,
		`{"command":"ls","timeout":0.5}`,
		`{"command":"ls","timeout":31536000}`, `{"command":"ls","timeout":31536001}`,
		`{"command":"ls","timeout":-0.1}`,
		`{"command":"ls","timeout":"5"}`, `{"command":"ls","timeout":true}`, `{}`,
		`{"command":null}`, `{"command":""}`, `{"command":" \n\t"}`,
		`{"command":5}`, `{"command":["ls"]}`, `{"command":"l\u0000s"}`, `{"command":"ls\u0000"}`,
		`{"command":"ls","cwd":5}`,
		`{"command":"ls","cwd":"/\u0000"}`, `{"command":"ls","envs":["A=b"]}`,
		`{"command":"ls","envs":{"":"b"}}`,
		`{"command":"ls","envs":{"A=":"b"}}`, `{"command":"ls","envs":{"A\u0000":"b"}}`,
		`{"command":"ls","envs":{"A":"\u0000"}}`,
		`{"command":"ls","stdin":"a\u0000"}`, `{"command":"ls","stdin":""}`, `{"command":"ls","stdin":null}`,
		`{"command":"ls","stdin":5}`, `{"command":"ls","stdin":["a"]}`,
		`{"command":"ls","envs":{"A":1}}`, `["ls"]`, `"ls"`, `null`,
	} {
		_, rejected := parse([]byte(body))
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if why := schema.Validate(value); (why == nil) != (rejected == nil) {
			t.Errorf("%s: the decoder says %+v, the document %v", body, rejected, why)
		}
	}
}

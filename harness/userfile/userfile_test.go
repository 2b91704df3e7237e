package userfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var schema = []byte(`{
	"type": "object",
	"required": ["name"],
	"additionalProperties": false,
	"properties": {
		"name": {"type": "string", "pattern": "^[a-z]+$"},
		"size": {"type": "integer", "minimum": 1},
		"list": {"type": "array", "items": {"enum": ["a", "b"]}},
		"inner": {"type": "object", "additionalProperties": false, "properties": {"x": {"type": "string"}}}
	}
}`)

func TestSchemaCompilesInAnyFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not a URL: é%")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	MustSchema([]byte(`{"type": "object"}`))
}

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"good", "name: abc\nsize: 3\nlist: [a, b]\n", ""},
		{"no YAML", "name: abc\n  size: 3\n", "f.yaml:"},
		{"a key twice", "name: abc\nname: abd\n", `f.yaml:2: mapping key "name" already defined at [1:1]`},
		{"empty", "", "f.yaml:1: one YAML document is needed"},
		{"two documents", "name: abc\n---\nname: abd\n", "f.yaml:1: one YAML document is needed"},
		{"a list", "- name\n", "f.yaml:1: the document: got array, want object"},
		{"unknown key", "name: abc\n\nsizes: 3\n", "f.yaml:3: unknown key sizes"},
		{"unknown inner key", "name: abc\ninner:\n  x: y\n  z: y\n", "f.yaml:4: unknown key inner.z"},
		{"missing key", "size: 3\n", "f.yaml:1: the document: missing property 'name'"},
		{"wrong type", "name: abc\n# remark\nsize: big\n", "f.yaml:3: size: got string, want integer"},
		{"wrong item", "name: abc\nlist:\n- a\n- c\n", "f.yaml:4: list.1: value must be one of 'a', 'b'"},
		{"two flaws, in order", "size: 0\nname: A\n", "f.yaml:1: size: minimum: got 0, want 1\nf.yaml:2: name: 'A' does not match pattern '^[a-z]+$'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			doc, err := Read("f.yaml", []byte(c.text))
			if err == nil {
				err = doc.Check(MustSchema(schema))
			}
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (c.want != "f.yaml:" || !strings.HasPrefix(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestErrorfPointsAsFarAsThePathLeads(t *testing.T) {
	doc, err := Read("f.yaml", []byte("a:\n  b:\n  - c\n  - d: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a":         "f.yaml:1: bad",
		"a/b":       "f.yaml:2: bad",
		"a/b/1":     "f.yaml:4: bad",
		"a/b/1/d":   "f.yaml:4: bad",
		"a/x/y":     "f.yaml:1: bad",
		"a/b/9":     "f.yaml:2: bad",
		"a/b/word":  "f.yaml:2: bad",
		"a/b/0/far": "f.yaml:3: bad",
	} {
		if got := doc.Errorf(strings.Split(path, "/"), "bad").Error(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// Package userfile reads the YAML files that a user writes: dialects, waivers
// and configurations. Each is checked against a JSON Schema, and every error
// names the file and the line.
//
// Read, Check and Decode are the front door, in this order.
package userfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// File is one parsed YAML file.
type File struct {
	name string
	root ast.Node
}

// Read parses a file's text; name is what errors call it.
func Read(name string, text []byte) (*File, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, positioned(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s:1: one YAML document is needed", name)
	}
	return &File{name: name, root: file.Docs[0].Body}, nil
}

// positioned turns the parser's error, which is drawn over several lines, into
// one line.
func positioned(name string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Schema is what a kind of document must look like.
type Schema struct{ compiled *jsonschema.Schema }

// MustSchema compiles a JSON Schema that is part of the program.
func MustSchema(text []byte) *Schema {
	// Absolute, or it would be below the current folder, whose name may hold what
	// no URL does.
	const url = "file:///schema.json"
	compiler := jsonschema.NewCompiler()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = compiler.AddResource(url, parsed)
	}
	if err != nil {
		panic(fmt.Sprintf("compile schema: %v", err))
	}
	return &Schema{compiled: compiler.MustCompile(url)}
}

// Check holds the document against a schema. All that is wrong is in the
// error, a line each, in the order of the file.
func (f *File) Check(s *Schema) error {
	value, err := f.asJSON()
	if err != nil {
		return err
	}
	var invalid *jsonschema.ValidationError
	if err := s.compiled.Validate(value); err == nil || !errors.As(err, &invalid) {
		return err
	}
	flaws := f.flaws(invalid)
	slices.SortStableFunc(flaws, func(a, b flaw) int { return a.line - b.line })
	var all []error
	for _, found := range flaws {
		all = append(all, fmt.Errorf("%s:%d: %s", f.name, found.line, found.text))
	}
	return errors.Join(all...)
}

// asJSON is the document as a JSON reader sees it, the form that schemas are
// about: a YAML number as a key becomes text, for instance.
func (f *File) asJSON() (any, error) {
	var value any
	if err := f.Decode(&value); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}

// Decode stores the document in v.
func (f *File) Decode(v any) error {
	if err := yaml.NodeToValue(f.root, v); err != nil {
		return positioned(f.name, err)
	}
	return nil
}

// Errorf is an error about what stands at a path of keys and indices.
func (f *File) Errorf(path []string, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.name, f.line(path), fmt.Errorf(format, args...))
}

// line finds where a path begins; of a path that leads nowhere, its last part
// that exists.
func (f *File) line(path []string) int {
	node, line := f.root, f.root.GetToken().Position.Line
	for _, step := range path {
		var key ast.Node
		if key, node = child(node, step); node == nil {
			return line
		}
		line = key.GetToken().Position.Line
	}
	return line
}

// child returns the node of a key, or an item, and where it begins.
func child(node ast.Node, step string) (key, value ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if pair.Key.GetToken().Value == step {
				return pair.Key, pair.Value
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i], n.Values[i]
		}
	}
	return nil, nil
}

// flaw is one thing that is wrong, in words.
type flaw struct {
	line int
	text string
}

var english = message.NewPrinter(language.English)

// flaws are the leaves of the validator's tree of causes.
func (f *File) flaws(e *jsonschema.ValidationError) []flaw {
	if len(e.Causes) == 0 {
		return f.explain(e)
	}
	var all []flaw
	for _, cause := range e.Causes {
		all = append(all, f.flaws(cause)...)
	}
	return all
}

// explain points at the key where a key is what is wrong.
func (f *File) explain(e *jsonschema.ValidationError) []flaw {
	if unknown, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		var all []flaw
		for _, name := range unknown.Properties {
			path := append(slices.Clone(e.InstanceLocation), name)
			all = append(all, flaw{f.line(path),
				fmt.Sprintf("unknown key %s", strings.Join(path, "."))})
		}
		return all
	}
	text := e.ErrorKind.LocalizedString(english)
	p, ok := e.ErrorKind.(*kind.Pattern)
	if ok && beginsWithSlash(p.Want) && !strings.HasPrefix(p.Got, "/") {
		text = fmt.Sprintf("%q is invalid: it must begin with /", p.Got)
	}
	where := strings.Join(e.InstanceLocation, ".")
	if where == "" {
		where = "the document"
	}
	return []flaw{{f.line(e.InstanceLocation), where + ": " + text}}
}

// beginsWithSlash says whether a pattern is that of a path or of a JSON Pointer.
func beginsWithSlash(pattern string) bool {
	return strings.HasPrefix(strings.TrimPrefix(pattern, "^"), "/") ||
		strings.HasPrefix(pattern, "^(/")
}

package dialect

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/reapcheck/reapcheck/fixtures/targets"
	"github.com/reapcheck/reapcheck/harness/userfile"
)

var dialectSchema = sync.OnceValue(func() *userfile.Schema { return userfile.MustSchema(targets.Schema) })

// DefaultDialect is the name of the reference daemon's own.
const DefaultDialect = "process-execute"

// ProcessExecute is the reference daemon's own dialect.
var ProcessExecute = sync.OnceValue(func() Dialect {
	d, err := Load(DefaultDialect)
	if err != nil {
		panic(err)
	}
	return d
})

// BuiltIn lists the names of the dialects that come with the command.
func BuiltIn() []string {
	entries, err := targets.Dialects.ReadDir(".")
	if err != nil {
		panic(err) // they are part of the program
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Source returns the YAML text of a built-in dialect, or of a file. What ends
// in .yaml or .yml, or has a slash, is a file.
func Source(nameOrFile string) (text []byte, err error) {
	if isFile(nameOrFile) {
		text, err = os.ReadFile(nameOrFile)
		if err != nil {
			return nil, fmt.Errorf("read dialect: %w", err)
		}
		return text, nil
	}
	if !slices.Contains(BuiltIn(), nameOrFile) {
		return nil, fmt.Errorf("unknown dialect %q: choose from %s, or give a file that ends in .yaml",
			nameOrFile, strings.Join(BuiltIn(), ", "))
	}
	return targets.Dialects.ReadFile(nameOrFile + ".yaml")
}

func isFile(s string) bool {
	return strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml") || strings.ContainsRune(s, filepath.Separator)
}

// Load reads a built-in dialect by its name, or a file. Each thing that is
// wrong with it is an error that names file and line.
func Load(nameOrFile string) (Dialect, error) {
	text, err := Source(nameOrFile)
	if err != nil {
		return Dialect{}, err
	}
	file := nameOrFile
	if !isFile(file) {
		file += ".yaml"
	}
	return Parse(file, text)
}

// Parse reads a dialect's text; file is what errors call it, and what names a
// dialect that gives itself no name.
func Parse(file string, text []byte) (Dialect, error) {
	var d Dialect
	doc, err := userfile.Read(file, text)
	if err != nil {
		return d, err
	}
	if err := doc.Check(dialectSchema()); err != nil {
		return d, err
	}
	if err := doc.Decode(&d); err != nil {
		return d, err
	}
	base := filepath.Base(file)
	d.setDefaults(strings.TrimSuffix(base, filepath.Ext(base)))
	eachText(d.Request.Body, func(text string) {
		d.placeholders = append(d.placeholders, placeholder.FindAllString(text, -1)...)
	})
	return d, d.checkBody(doc)
}

// placeholder is what the client fills in.
var placeholder = regexp.MustCompile(`<[a-zA-Z]+>`)

// Placeholders are all that a request's body may hold.
var Placeholders = []string{"<command>", "<argv>", "<cwd>", "<timeout>", "<timeoutMs>", "<env>"}

// checkBody finds what no schema can: a misspelt placeholder, and a body that
// never says the command.
func (d Dialect) checkBody(doc *userfile.File) error {
	body := []string{"request", "body"}
	for _, name := range d.placeholders {
		if !slices.Contains(Placeholders, name) {
			return doc.Errorf(body, "unknown placeholder %s: choose from %s", name, strings.Join(Placeholders, ", "))
		}
	}
	if !d.Says("<command>") && !d.Says("<argv>") {
		return doc.Errorf(body, "the body must hold <command> or <argv>")
	}
	return nil
}

// Says reports whether a request can carry what the placeholder stands for.
func (d Dialect) Says(name string) bool { return slices.Contains(d.placeholders, name) }

// SaysTimeout reports whether a request can carry a timeout, in whatever unit.
func (d Dialect) SaysTimeout() bool { return d.Says("<timeout>") || d.Says("<timeoutMs>") }

func eachText(v any, do func(string)) {
	switch v := v.(type) {
	case string:
		do(v)
	case []any:
		for _, item := range v {
			eachText(item, do)
		}
	case map[string]any:
		for _, item := range v {
			eachText(item, do)
		}
	}
}

// variable is a part of a header's value that comes from the environment.
var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// Resolve fills the headers in from the environment. The result holds secrets:
// it is for a client and not for a report.
func (d Dialect) Resolve(lookup func(string) (string, bool)) (Dialect, error) {
	headers := map[string]string{}
	for name, value := range d.Request.Headers {
		for _, match := range variable.FindAllStringSubmatch(value, -1) {
			found, ok := lookup(match[1])
			if !ok {
				return d, fmt.Errorf("dialect %s: header %s needs the environment variable %s, which is not set", d.Name, name, match[1])
			}
			value = strings.ReplaceAll(value, match[0], found)
		}
		headers[name] = value
	}
	d.Request.Headers = headers
	return d, nil
}

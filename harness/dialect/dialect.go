// Package dialect says how a target's execute endpoint is spoken: what a request
// for a command looks like, and what of an answer is the exit code, the output
// or a word for something else.
//
// Load reads a Dialect, which is data. Its methods Compose and Read translate a
// Request and an answer; Try asks a target a few questions to see whether the
// dialect fits it. The package sends nothing itself.
package dialect

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/reapcheck/reapcheck/fixtures/targets"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/harness/userfile"
)

// Dialect is how a target's execute endpoint is spoken. It is data, written as
// YAML; fixtures/targets/dialect.schema.json says what each key means. Load and
// Parse make one.
type Dialect struct {
	// Name is what reports call it.
	Name string `yaml:"name"`
	// Port is where the target listens inside its sandbox; 0 where it is at Socket, the
	// path of a Unix socket.
	Port   int    `yaml:"port"`
	Socket string `yaml:"socket"`
	// Ready is the path that answers 2xx once the target takes commands. Empty
	// means that any HTTP answer will do.
	Ready    string   `yaml:"ready"`
	Commands Style    `yaml:"commands"`
	Request  Endpoint `yaml:"request"`
	Response Response `yaml:"response"`
	Words    Words    `yaml:"words"`
	// Declares are choices of the target's own that others make otherwise: it is judged
	// as having made them.
	Declares []string `yaml:"declares"`

	steps        []Step   // of a request, in their order
	placeholders []string // that they hold
	spoken       bool     // not over HTTP
	hangsUp      bool     // although not over HTTP
	noBytes      bool     // what is no text comes back changed
}

// Style is what a target does with the text of a command.
type Style string

const (
	Shell       Style = "shell"        // a shell runs it
	QuotedWords Style = "quoted-words" // it is split into words, quotes honoured
	BareWords   Style = "words"        // it is split at white space and nothing else
)

// Form is how an answer is framed.
type Form string

const (
	JSON      Form = "json"       // one document
	Text      Form = "text"       // as it is
	JSONLines Form = "json-lines" // a document a line
	SSE       Form = "sse"        // Server-Sent Events
	Connect   Form = "connect"    // the Connect protocol's envelopes, with JSON in them
	WebSocket Form = "websocket"  // messages of a WebSocket
)

// Response is where things stand in an answer.
type Response struct {
	Form Form `yaml:"form"`
	// Status lists the HTTP statuses under which an exit code counts.
	Status   []int  `yaml:"status"`
	ExitCode Places `yaml:"exitCode"`
	Signal   Places `yaml:"signal"`
	// Output is not compared where this is empty.
	Output   Places `yaml:"output"`
	Encoding string `yaml:"encoding"`
	// Bytes is where the output stands in base64, in the answers in which Output had to be
	// changed since it is no text.
	Bytes    Places `yaml:"bytes"`
	Newlines string `yaml:"newlines"`
	Trimmed  bool   `yaml:"trimmed"`
	Error    Places `yaml:"error"`
}

// Place is a JSON Pointer into the documents of an answer, all of them or only
// those that have a name or certain values, or else one of the answer's headers.
type Place struct {
	At     string `yaml:"at"`
	Header string `yaml:"header"`
	// Step is the step of a conversation in whose answer to look; empty is the last.
	Step  string         `yaml:"step"`
	Event string         `yaml:"event"`
	Where map[string]any `yaml:"where"`
	// As is how a number is written, as AsText, and Means the number that is meant
	// wherever something stands there.
	As    string `yaml:"as"`
	Means *int   `yaml:"means"`
}

// CRLF is how newlines are written that have been through a terminal.
const CRLF = "crlf"

// AsText is the way to write a number of targets that say "7" for 7.
const AsText = "text"

// Places is written as one place or as a list, and a place as a pointer alone
// or as a mapping.
type Places []Place

// UnmarshalYAML reads a pointer, a mapping, or a list of both.
func (p *Places) UnmarshalYAML(decode func(any) error) error {
	var list []Place
	if decode(&list) == nil {
		*p = list
		return nil
	}
	var one Place
	if err := decode(&one); err != nil {
		return err
	}
	*p = Places{one}
	return nil
}

// UnmarshalYAML reads a pointer alone or a mapping.
func (p *Place) UnmarshalYAML(decode func(any) error) error {
	if decode(&p.At) == nil {
		return nil
	}
	type mapping Place
	return decode((*mapping)(p))
}

// Words are how a target says what is not an exit code.
type Words struct {
	Unknown    []Condition `yaml:"unknown"`
	Timeout    []Condition `yaml:"timeout"`
	StartError []Condition `yaml:"startError"`
	Refused    []Condition `yaml:"refused"`
	// Signal is the exit code of a command that signal n ended: "128+n" or "-n".
	Signal string `yaml:"signal"`
}

// NegativeSignal is the word of targets that answer -n for a death by signal n.
const NegativeSignal = "-n"

// Condition holds where all that it names is so.
type Condition struct {
	Step     string  `yaml:"step"`
	Status   int     `yaml:"status"`
	ExitCode *int    `yaml:"exitCode"`
	At       *string `yaml:"at"`
	Header   string  `yaml:"header"`
	Event    string  `yaml:"event"`
	Is       any     `yaml:"is"`
	Has      string  `yaml:"has"`
}

// Want is what of a command's promise the dialect can tell.
func (d Dialect) Want(w trial.Want) trial.Want {
	w.AnyOutput = w.AnyOutput || len(d.Response.Output) == 0 || w.Merged &&
		len(d.Response.Output) > 1 || w.NoText && !d.tellsBytes()
	w.Trimmed = d.Response.Trimmed
	return w
}

// tellsBytes says whether an output that is no text comes back as it was.
func (d Dialect) tellsBytes() bool {
	return !d.noBytes && !slices.Contains(d.Declares, "tells-text-alone") &&
		(d.Response.Encoding == base64Words || len(d.Response.Bytes) > 0 ||
			d.spoken && len(d.Response.Output) > 0)
}

// WithoutBytes is the dialect of a target that changes what is no text, whatever places it has
// for bytes.
func (d Dialect) WithoutBytes() Dialect {
	d.noBytes = true
	return d
}

// base64Words is the encoding of outputs that are told byte by byte.
const base64Words = "base64"

func (d *Dialect) setDefaults(name string) {
	setDefault(&d.Name, name)
	setDefault(&d.Commands, Shell)
	setDefault(&d.Response.Form, JSON)
	d.setSteps()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

var dialectSchema = sync.OnceValue(
	func() *userfile.Schema { return userfile.MustSchema(targets.Schema) })

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
		return nil,
			fmt.Errorf("unknown dialect %q: choose from %s, or give a file that ends in .yaml",
				nameOrFile, strings.Join(BuiltIn(), ", "))
	}
	return targets.Dialects.ReadFile(nameOrFile + ".yaml")
}

func isFile(s string) bool {
	return strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml") ||
		strings.ContainsRune(s, filepath.Separator)
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
	return d, d.check(doc)
}

// placeholder is what the client fills in.
var placeholder = regexp.MustCompile(`<[a-zA-Z]+>`)

// Placeholders are all that a request may hold.
var Placeholders = []string{
	"<command>", "<argv>", "<cwd>", "<timeout>", "<timeoutMs>", wholeSeconds, "<env>",
	"<envList>", stdin, "<signal>", "<signalNumber>",
}

// stdin is the placeholder for what a command reads.
const stdin = "<stdin>"

// SaysInput reports whether a command can be given an input.
func (d Dialect) SaysInput() bool { return d.Says(stdin) }

// Says reports whether a request can carry what the placeholder stands for.
func (d Dialect) Says(name string) bool { return slices.Contains(d.placeholders, name) }

// SaysEnv reports whether a request can carry variables, in whatever form. Without, a shell
// sets them, which takes the names of a shell alone.
func (d Dialect) SaysEnv() bool { return d.Says("<env>") || d.Says("<envList>") }

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

// PortOf is the port of a target's URL, by default its scheme's own; empty where that is unknown.
func PortOf(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

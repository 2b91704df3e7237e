// Package dialect says how a target's execute endpoint is spoken: what a request
// for a command looks like, and what of an answer is the exit code, the output
// or a word for something else.
//
// Load reads a Dialect, which is data. Its methods Compose and Read translate a
// Request and an answer; Try asks a target a few questions to see whether the
// dialect fits it. The package sends nothing itself.
package dialect

import (
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Dialect is how a target's execute endpoint is spoken. It is data, written as
// YAML; fixtures/targets/dialect.schema.json says what each key means. Load and
// Parse make one.
type Dialect struct {
	// Name is what reports call it.
	Name string `yaml:"name"`
	// Port is where the target listens inside its sandbox.
	Port int `yaml:"port"`
	// Ready is the path that answers 2xx once the target takes commands. Empty
	// means that any HTTP answer will do.
	Ready    string   `yaml:"ready"`
	Commands Style    `yaml:"commands"`
	Request  Endpoint `yaml:"request"`
	Response Response `yaml:"response"`
	Words    Words    `yaml:"words"`

	placeholders []string // that the request's body holds
}

// Style is what a target does with the text of a command.
type Style string

const (
	Shell       Style = "shell"        // a shell runs it
	QuotedWords Style = "quoted-words" // it is split into words, quotes honoured
	BareWords   Style = "words"        // it is split at white space and nothing else
)

// Endpoint is where and how a command is asked for.
type Endpoint struct {
	Method  string            `yaml:"method"`
	Path    string            `yaml:"path"`
	Headers map[string]string `yaml:"headers"`
	// Body is a JSON value with placeholders such as "<command>".
	Body any `yaml:"body"`
}

// Form is how an answer is framed.
type Form string

const (
	JSON Form = "json" // one document
	SSE  Form = "sse"  // Server-Sent Events
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
	Trimmed  bool   `yaml:"trimmed"`
	Error    Places `yaml:"error"`
}

// Place is a JSON Pointer into the documents of an answer, all of them or only
// those that have a name or certain values.
type Place struct {
	At    string         `yaml:"at"`
	Event string         `yaml:"event"`
	Where map[string]any `yaml:"where"`
}

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
	Status   int     `yaml:"status"`
	ExitCode *int    `yaml:"exitCode"`
	At       *string `yaml:"at"`
	Event    string  `yaml:"event"`
	Is       any     `yaml:"is"`
	Has      string  `yaml:"has"`
}

// Want is what of a command's promise the dialect can tell.
func (d Dialect) Want(w trial.Want) trial.Want {
	w.AnyOutput = w.AnyOutput || len(d.Response.Output) == 0 || w.Merged && len(d.Response.Output) > 1
	w.Trimmed = d.Response.Trimmed
	return w
}

func (d *Dialect) setDefaults(name string) {
	setDefault(&d.Name, name)
	setDefault(&d.Commands, Shell)
	setDefault(&d.Request.Method, "POST")
	setDefault(&d.Response.Form, JSON)
	if len(d.Response.Status) == 0 {
		d.Response.Status = []int{200}
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

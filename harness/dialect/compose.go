package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Request is one command to execute.
type Request struct {
	// Script is what a shell runs.
	Script string
	// Plain says that Script is one program with its arguments, for which no
	// shell is needed.
	Plain bool
	Cwd   string
	Env   map[string]string // added to the target's own
	// Stdin is what the command reads, where the dialect has a word for it. Nil says nothing
	// of an input, and an empty text says that it is empty: targets must take both for that.
	Stdin *string
	// Timeout is asked of the target; zero asks for none.
	Timeout time.Duration
	// HangUpAfter makes the client close the connection that long after it has
	// written the request, unless the answer came first; zero waits for the answer.
	HangUpAfter time.Duration
	// HalfClose closes the client's sending side once the request is written, and
	// Behind is sent before that: what a client may send while it waits.
	HalfClose bool
	Behind    string
	// Reset has the client that goes do so without a word (RST), as one does that
	// ends with an answer unread, or a proxy that gives up.
	Reset bool
	// Alone asks on a connection that nobody has asked on before, and closes it after the
	// answer, by HTTP.
	Alone bool
	// Way is how the request is written; empty is as net/http does.
	Way Way
}

// Unusual says whether the request takes a connection of its own, by HTTP: net/http's client
// cannot ask so.
func (r Request) Unusual() bool { return r.HalfClose || r.Behind != "" || r.Way != "" }

// Way is one way to write an HTTP request among those that mean the same.
type Way string

// Ways are those that clients of the field have.
const (
	Chunked  Way = "chunked"  // without its length (RFC 9112, 7.1), as a client that streams
	Expects  Way = "expects"  // asking whether to go on (RFC 9110, 10.1.1), as curl
	Charset  Way = "charset"  // with a parameter of its media type (RFC 9110, 8.3.1)
	Version0 Way = "http-1.0" // as ApacheBench and nginx's proxy_pass
	Escaped  Way = "escaped"  // in ASCII alone (RFC 8259, 7), as Python's json.dumps
	Spaced   Way = "spaced"   // over several lines (RFC 8259, 2), as who writes JSON for people
	Ahead    Way = "ahead"    // while another's command runs (RFC 9112, 9.3.2)
	Slowly   Way = "slowly"   // by who begins to read its answer late, as over a slow line
	Piece    Way = "piece"    // a piece at a time, as over a slow line
	Nonsense Way = "nonsense" // behind requests that make no sense
	Mistaken Way = "mistaken" // behind requests with a field of the wrong kind
	Fetch    Way = "fetch"    // with the header that Node.js's fetch adds (Fetch Metadata)
	Laden    Way = "laden"    // with what gateways add: 12 KiB of headers, of which servers take 8 each
	Newline  Way = "newline"  // with a newline behind its body, as curl -d @file and echo
	Failed   Way = "failed"   // behind an error on the same connection
	More     Way = "more"     // with a field that a newer client knows
	Again    Way = "again"    // behind another, on a connection that has rested since
	Named    Way = "named"    // by a name that the target does not know, as of a container
	Upgrades Way = "upgrades" // offering HTTP/2 (RFC 7540, 3.2), as Java's HttpClient does at first
	Closing  Way = "closing"  // on a connection that ends with the answer (RFC 9112, 9.6)
)

// Compose fills a request into the template of the dialect's first step. The result is
// a JSON value, the request's body.
func (d Dialect) Compose(r Request) any {
	body, _ := fill(d.steps[0].Body, d.values(r))
	return body
}

// NoFolder is the exit code of a command whose folder is not there, where a
// shell has to enter it since the dialect has no field for it.
const NoFolder = 126

// withoutFields says by the shell what the template has no field for.
func withoutFields(d Dialect, r Request) Request {
	var before strings.Builder
	if r.Cwd != "" && !d.Says("<cwd>") {
		fmt.Fprintf(&before, "cd %s || exit %d; ", Quote(r.Cwd), NoFolder)
	}
	if !d.SaysEnv() {
		for _, name := range slices.Sorted(maps.Keys(r.Env)) {
			fmt.Fprintf(&before, "export %s=%s; ", name, Quote(r.Env[name]))
		}
	}
	if before.Len() > 0 {
		r.Script, r.Plain = before.String()+r.Script, false
	}
	return r
}

// values are what the placeholders stand for; nil where there is nothing to say.
func (d Dialect) values(r Request) map[string]any {
	r = withoutFields(d, r)
	v := map[string]any{"<command>": text(d.Commands, r), "<argv>": argv(r)}
	if r.Cwd != "" {
		v["<cwd>"] = r.Cwd
	}
	if r.Stdin != nil {
		v[stdin] = *r.Stdin
	}
	d.sayTimeout(v, r.Timeout)
	if len(r.Env) > 0 {
		v["<env>"], v["<envList>"] = r.Env, list(r.Env)
	}
	return v
}

func (d Dialect) sayTimeout(v map[string]any, t time.Duration) {
	switch none := d.Request.NoTimeout; {
	case t > 0:
		v["<timeout>"], v["<timeoutMs>"] = t.Seconds(), t.Milliseconds()
		v[wholeSeconds] = int64(roundUp(t) / time.Second)
	case none != nil:
		v["<timeout>"], v["<timeoutMs>"], v[wholeSeconds] = none, none, none
	}
}

// list is the variables as NAME=VALUE.
func list(env map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+env[name])
	}
	return all
}

func argv(r Request) []string {
	if r.Plain {
		return strings.Fields(r.Script)
	}
	return []string{"/bin/sh", "-c", r.Script}
}

// text is the command as the target's own way of reading it needs it.
func text(style Style, r Request) string {
	switch {
	case r.Plain || style == Shell:
		return r.Script
	case style == QuotedWords:
		return "/bin/sh -c " + Quote(r.Script)
	default:
		return "/bin/sh -c " + unspaced(r.Script)
	}
}

// Quote makes one word of a text for a shell, or for who splits like one.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unspaced writes a script as one word without quotes around it: its white space is
// cut from the shell's IFS, which holds a space, a tab and a newline.
// Nothing is forked that the script itself would not fork.
func unspaced(script string) string {
	return `eval${IFS}"` + blanks.Replace(script) + `"`
}

var blanks = strings.NewReplacer(
	`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`",
	" ", "${IFS%??}", "\n", "${IFS#??}",
)

// fill copies a template with its placeholders replaced. The second result is
// false where the template is a placeholder that has no value.
func fill(template any, values map[string]any) (any, bool) {
	switch t := template.(type) {
	case string:
		return fillText(t, values)
	case []any:
		list := []any{}
		for _, item := range t {
			if filled, ok := fill(item, values); ok {
				list = append(list, filled)
			}
		}
		return list, true
	case map[string]any:
		object := map[string]any{}
		for key, item := range t {
			if filled, ok := fill(item, values); ok {
				object[key] = filled
			}
		}
		return object, true
	}
	return template, true
}

// fillText keeps the type of a value that stands alone. A text of which no placeholder
// has a value has none either.
func fillText(text string, values map[string]any) (any, bool) {
	if value, ok := values[text]; ok {
		return value, true
	}
	if !strings.ContainsAny(text, "<{") { // as each placeholder begins
		return text, true
	}
	pairs, named, filled := []string{}, false, false
	replace := func(name string) {
		if !strings.Contains(text, name) {
			return
		}
		value, ok := values[name]
		if !ok {
			value = ""
		}
		named, filled = true, filled || ok
		pairs = append(pairs, name, fmt.Sprint(value))
	}
	for _, name := range Placeholders {
		replace(name)
	}
	for name := range values {
		if name[0] == '{' {
			replace(name)
		}
	}
	if named && !filled {
		return nil, false
	}
	return strings.NewReplacer(pairs...).Replace(text), true
}

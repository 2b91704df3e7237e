package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// fault is one thing that is wrong, in words.
type fault struct {
	line int
	text string
}

var english = message.NewPrinter(language.English)

// faults are the leaves of the validator's tree of causes.
func (d *Document) faults(e *jsonschema.ValidationError) []fault {
	if len(e.Causes) == 0 {
		return d.explain(e)
	}
	var all []fault
	for _, cause := range e.Causes {
		all = append(all, d.faults(cause)...)
	}
	return all
}

// explain points at the key where a key is what is wrong.
func (d *Document) explain(e *jsonschema.ValidationError) []fault {
	if unknown, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		var all []fault
		for _, name := range unknown.Properties {
			path := append(slices.Clone(e.InstanceLocation), name)
			all = append(all, fault{d.line(path), fmt.Sprintf("unknown key %s", strings.Join(path, "."))})
		}
		return all
	}
	where := strings.Join(e.InstanceLocation, ".")
	if where == "" {
		where = "the document"
	}
	return []fault{{d.line(e.InstanceLocation), where + ": " + e.ErrorKind.LocalizedString(english)}}
}

package results

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed schema/*.json
var schemas embed.FS

// Schema is the JSON Schema of a kind of file: verdict, run, bench, recording (of
// one of its lines), or waivers, which a user writes.
func Schema(kind string) ([]byte, error) {
	text, err := schemas.ReadFile(path.Join("schema", kind+".json"))
	if err != nil {
		return nil, fmt.Errorf("unknown schema %q: choose from %s", kind, strings.Join(SchemaKinds(), ", "))
	}
	return text, nil
}

// SchemaKinds are the names that Schema knows.
func SchemaKinds() []string {
	names, err := fs.Glob(schemas, "schema/*.json")
	if err != nil {
		panic(err) // the pattern is not one
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".json")
	}
	return names
}

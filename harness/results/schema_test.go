package results

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// strict compiles a schema that lets no unknown property pass. What is
// published is open, so that later versions may add to it; here a field
// without a line in the schema has to show.
func strict(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(parsed)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("schema.json")
}

func closeObjects(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	case map[string]any:
		for _, child := range node {
			closeObjects(child)
		}
		if _, isObject := node["properties"].(map[string]any); isObject &&
			node["type"] == "object" {
			node["additionalProperties"] = false
		}
	}
}

func validate(t *testing.T, schema *jsonschema.Schema, what string, text []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestSchemasFitRealResults(t *testing.T) {
	run, verdict, recording := strict(t, "run"), strict(t, "verdict"), strict(t, "recording")
	for _, dir := range []string{"testdata/fail", "testdata/pass"} {
		validate(t, run, dir+"/run.json", read(t, dir+"/run.json"))
		loaded, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		out := t.TempDir()
		if err := WriteVerdict(out, loaded); err != nil {
			t.Fatal(err)
		}
		validate(t, verdict, dir+"/verdict.json", read(t, out+"/verdict.json"))
		recordings, _ := filepath.Glob(dir + "/*/*.jsonl")
		if len(recordings) == 0 {
			t.Errorf("no recordings in %s", dir)
		}
		for _, name := range recordings {
			for line := range bytes.Lines(read(t, name)) {
				validate(t, recording, name, line)
			}
		}
	}
}

// Real folders do not have every field; the types do.
func TestSchemasKnowEveryField(t *testing.T) {
	for _, c := range []struct {
		schema, path string
		of           any
	}{
		{"run", "properties", Info{}},
		{"run", "properties/scenarios/items/properties", trial.Scenario{}},
		{"run", "properties/leftOut/items/properties", LeftOut{}},
		{"verdict", "properties/leftOut/items/properties", LeftOut{}},
		{"run", "properties/shard/properties", Shard{}},
		{"run", "properties/shard/properties/scenarios/items/properties", PlannedScenario{}},
		{"run", "properties/machines/items/properties", Machine{}},
		{"run", "properties/settings/items/properties", Setting{}},
		{"run", "properties/waivers/items/properties", Waiver{}},
		{"verdict", "properties", verdict{}},
		{"verdict", "$defs/waiver/properties", Waiver{}},
		{"waivers", "properties/waivers/items/properties", Waiver{}},
		{"verdict", "$defs/scenario/properties", verdictScenario{}},
		{"verdict", "$defs/arm/properties", verdictArm{}},
		{"verdict", "$defs/cause/properties", verdictCause{}},
		{"verdict", "$defs/showing/properties", verdictShowing{}},
		{"verdict", "$defs/best/properties", verdictBest{}},
		{"verdict", "$defs/check/properties", trial.Check{}},
		{"recording", "properties", trial.Line{}},
		{"recording", "properties/plan/properties", trial.Plan{}},
		{"recording", "properties/trial/properties", trial.Record{}},
		{"recording", "properties/check/properties", trial.Check{}},
		{"recording", "properties/end/properties", trial.End{}},
	} {
		text, err := Schema(c.schema)
		if err != nil {
			t.Fatal(err)
		}
		var node map[string]any
		if err := json.Unmarshal(text, &node); err != nil {
			t.Fatal(err)
		}
		for _, step := range strings.Split(c.path, "/") {
			node, _ = node[step].(map[string]any)
		}
		var want []string
		for _, field := range reflect.VisibleFields(reflect.TypeOf(c.of)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			want = append(want, name)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(node)); !slices.Equal(got, want) {
			t.Errorf("%s at %s: %v, the type has %v", c.schema, c.path, got, want)
		}
	}
}

func TestSchemasRefuse(t *testing.T) {
	for kind, texts := range map[string][]string{
		"verdict": {`{}`, `{"verdict":"passed"}`},
		"run":     {`{}`, `[]`},
		"recording": {`{}`,
			`{"end":{"faultHits":0,"startUs":0},"check":{"check":"a","want":"b","got":"c","ok":true}}`, `{"end":{"faultHits":0,"startUs":0,"new":1}}`},
	} {
		schema := strict(t, kind)
		for _, text := range texts {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(value) == nil {
				t.Errorf("%s takes %s", kind, text)
			}
		}
	}
	if _, err := Schema("../run"); err == nil {
		t.Error("an unknown schema is no error")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

package dialect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuiltInDialectsLoad(t *testing.T) {
	names := BuiltIn()
	if len(names) == 0 {
		t.Fatal("none")
	}
	for _, name := range names {
		d, err := Load(name)
		if err != nil || d.Name != name {
			t.Errorf("%s: loaded as %q, error %v", name, d.Name, err)
		}
	}
}

const minimal = "port: 80\nrequest:\n  path: /run\n  body: {cmd: <command>}\nresponse:\n  exitCode: /code\n"

func TestDefaults(t *testing.T) {
	d, err := Parse("dir/my-own.yaml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "my-own" || d.Commands != Shell || d.Request.Method != "POST" ||
		d.Response.Form != JSON || d.Response.Status[0] != 200 {
		t.Errorf("got %+v", d)
	}
	if !d.Says("<command>") || d.Says("<cwd>") {
		t.Error("the template's placeholders are not known")
	}
}

func TestPlacesAreWrittenInThreeWays(t *testing.T) {
	for text, want := range map[string]int{
		"output: /a":                   1,
		"output: [/a, /b]":             2,
		"output: {at: /a, event: out}": 1,
		"output: [{at: /a, where: {/type: stdout}}, /b/c]": 2,
	} {
		d, err := Parse("d.yaml", []byte(minimal+"  "+text+"\n"))
		if err != nil || len(d.Response.Output) != want || d.Response.Output[0].At != "/a" {
			t.Errorf("%s: got %+v, error %v", text, d.Response.Output, err)
		}
	}
}

func TestWrongDialectsAreExplained(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"path: /run", "path: /run\n  pth: /x", "d.yaml:4: unknown key request.pth"},
		{"path: /run", "path: run", "d.yaml:3: request.path: \"run\" is invalid: it must begin with /"},
		{"port: 80", "port: 0", "d.yaml:1: port: minimum: got 0, want 1"},
		{"{cmd: <command>}", "{cmd: <comand>}",
			"d.yaml:4: unknown placeholder <comand>: choose from <command>, "},
		{"{cmd: <command>}", "{cmd: ls}", "d.yaml:4: the body must hold <command> or <argv>"},
		{"exitCode: /code", "exitCode: code",
			"d.yaml:6: response.exitCode: \"code\" is invalid: it must begin with /"},
		{"exitCode: /code", "exitCode: {event: end}",
			"d.yaml:6: response.exitCode: missing property 'at'"},
		{"exitCode: /code", "exitCode: /code\nwords:\n  timeout:\n  - is: 3",
			"d.yaml:9: words.timeout.0: "},
		{"exitCode: /code", "exitCode: /code\nwords:\n  refused:\n  - event: busy",
			"d.yaml:9: words.refused.0: "},
	} {
		_, err := Parse("d.yaml", []byte(strings.Replace(minimal, c.old, c.new, 1)))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.new, err, c.want)
		}
	}
}

func TestLoadTellsNamesFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(path, []byte(minimal), 0o644); err != nil {
		t.Fatal(err)
	}
	if d, err := Load(path); err != nil || d.Name != "other" {
		t.Errorf("a file: %q, error %v", d.Name, err)
	}
	if _, err := Load("proces-execute"); err == nil ||
		!strings.Contains(err.Error(), "choose from") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := Load("nowhere.yaml"); !os.IsNotExist(err) &&
		(err == nil || !strings.Contains(err.Error(), "no such file")) {
		t.Errorf("no file: %v", err)
	}
}

func TestHeadersComeFromTheEnvironment(t *testing.T) {
	text := strings.Replace(minimal, "  body:",
		"  headers: {Authorization: 'Bearer ${TOKEN}'}\n  body:", 1)
	d, err := Parse("d.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	set := func(string) (string, bool) { return "s3cret", true }
	unset := func(string) (string, bool) { return "", false }
	resolved, err := d.Resolve(set)
	if err != nil || resolved.Request.Headers["Authorization"] != "Bearer s3cret" {
		t.Errorf("got %v, error %v", resolved.Request.Headers, err)
	}
	if d.Request.Headers["Authorization"] != "Bearer ${TOKEN}" {
		t.Error("the dialect itself now holds the secret")
	}
	if _, err := d.Resolve(unset); err == nil ||
		!strings.Contains(err.Error(), "TOKEN, which is not set") {
		t.Errorf("an unset variable: %v", err)
	}
}

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func newSettled() *cobra.Command {
	cmd := &cobra.Command{Use: "gate"}
	cmd.Flags().String("tier", "standard", "")
	cmd.Flags().Uint64("seed", 0, "")
	cmd.Flags().String("base-image", "", "")
	cmd.Flags().StringSlice("only", nil, "")
	cmd.Flags().StringArray("env", nil, "")
	cmd.Flags().String("config", "", "")
	return cmd
}

// resolveWith parses a command line, with an environment and a file.
func resolveWith(t *testing.T, argv []string, env map[string]string, file string) (
	*cobra.Command, error) {
	t.Helper()
	cmd := newSettled()
	if file != "" {
		path := filepath.Join(t.TempDir(), "gate.yaml")
		if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, "--config="+path)
	}
	if err := cmd.ParseFlags(argv); err != nil {
		t.Fatal(err)
	}
	err := resolve(cmd, func(name string) (string, bool) {
		value, ok := env[name]
		return value,
			ok
	})
	return cmd, err
}

func TestPrecedence(t *testing.T) {
	file := "tier: soak\nseed: 1\nbase-image: from-file\nonly: [a, b]\nenv: {A: 1, B: two, C: }\n"
	env := map[string]string{"REAPCHECK_SEED": "2", "REAPCHECK_TIER": "quick",
		"REAPCHECK_BASE_IMAGE": ""}
	cmd, err := resolveWith(t, []string{"--tier=standard"}, env, file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range settings(cmd) {
		got[s.Name] = strings.Join(s.Values, "|") + " " + s.From
	}
	delete(got, "config")
	want := map[string]string{
		"tier":       "standard flag",
		"seed":       "2 environment",
		"base-image": "from-file file",
		"only":       "a|b file",
		"env":        "A=1|B=two|C file",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestManyValuesFromTheEnvironment(t *testing.T) {
	env := map[string]string{"REAPCHECK_ENV": "A=1,5\nB=2\n", "REAPCHECK_ONLY": "x,y"}
	cmd, err := resolveWith(t, nil, env, "")
	if err != nil {
		t.Fatal(err)
	}
	vars, _ := cmd.Flags().GetStringArray("env")
	only, _ := cmd.Flags().GetStringSlice("only")
	if !reflect.DeepEqual(vars, []string{"A=1,5", "B=2"}) ||
		!reflect.DeepEqual(only, []string{"x", "y"}) {
		t.Errorf("env %q, only %q", vars, only)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	for _, c := range []struct {
		name, file, want string
		env              map[string]string
	}{
		{"unknown key", "tier: quick\ntear: soak\n", "gate.yaml:2: unknown setting tear", nil},
		{"bad value", "\nseed: many\n", "gate.yaml:2: seed: invalid argument", nil},
		{"two values", "seed: [1, 2]\n", "gate.yaml:1: seed: takes one value, not 2", nil},
		{"no value", "seed:\n", "gate.yaml:1: seed: has no value", nil},
		{"not a mapping", "- seed\n", "gate.yaml:1: ", nil},
		{"bad variable", "", "REAPCHECK_SEED: invalid argument",
			map[string]string{"REAPCHECK_SEED": "x"}},
		{"no file", "", "read configuration: open /nowhere",
			map[string]string{"REAPCHECK_CONFIG": "/nowhere"}},
	} {
		_, err := resolveWith(t, nil, c.env, c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	for _, c := range []struct {
		flag      string
		in, shown []string
	}{
		{"env", []string{"DECK_TOKEN=s3cret", "MODE=fast", "DB_PASSWORD=x"},
			[]string{"DECK_TOKEN", "MODE=fast", "DB_PASSWORD"}},
		{"arg", []string{"--token=s3cret", "--port", "80", "--api-key", "s3cret", "--auth"},
			[]string{"--token=***", "--port", "80", "--api-key", "***", "--auth"}},
		{"url", []string{"http://me:s3cret@127.0.0.1:1"}, []string{"http://me:xxxxx@127.0.0.1:1"}},
		{"tier", []string{"token"}, []string{"token"}},
	} {
		if got := maskAll(c.flag, c.in); !reflect.DeepEqual(got, c.shown) {
			t.Errorf("%s: got %q, want %q", c.flag, got, c.shown)
		}
	}
}

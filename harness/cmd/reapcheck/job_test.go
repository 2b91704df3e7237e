package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// decoder builds what gives a manifest to the types of the Kubernetes API.
var decoder = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "decode-job")
	build := exec.Command("go", "build", "-C", "../../../tools/kubernetes", "-o", path, ".")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return path, nil
})

func decode(t *testing.T, manifest string) (string, error) {
	t.Helper()
	program, err := decoder()
	if err != nil {
		t.Fatal("build:", err)
	}
	cmd := exec.Command(program)
	cmd.Stdin = strings.NewReader(manifest)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func runJob(args ...string) (string, error) {
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"job"}, args...))
	root.SetOut(&out)
	err := root.Execute()
	return out.String(), err
}

func TestJobIsAManifest(t *testing.T) {
	manifest, err := runJob("--kubernetes", "--image=reapcheck:v1", "--shards=16",
		"--claim=results",
		"--seed=7", "--", "gate", "--binary", "/work/target", "--only=storm", "--", "--flag=a: 'b'")
	if err != nil {
		t.Fatal(err)
	}
	out, err := decode(t, manifest)
	if want := "16 Indexed [gate --binary /work/target --only=storm -- --flag=a: 'b']"; err != nil ||
		!strings.Contains(out, want) {
		t.Errorf("got %q, %v, want %q of\n%s", out, err, want, manifest)
	}
	for _, broken := range [][2]string{
		{"completionMode:", "completionmodes:"}, {"completions: 16", "completions: many"},
		{"procMount:", "procmounts:"},
	} {
		changed := strings.Replace(manifest, broken[0], broken[1], 1)
		if out, err := decode(t, changed); err == nil {
			t.Errorf("with %q the manifest is taken: %s", broken[1], out)
		}
	}
}

func TestJobRefuses(t *testing.T) {
	good := []string{"--kubernetes", "--image=a", "--shards=2", "--claim=c"}
	for want, args := range map[string][]string{
		"--kubernetes":        {"--image=a", "--shards=2", "--claim=c", "--", "repro"},
		"--image is missing":  {"--kubernetes", "--shards=2", "--claim=c", "--", "repro"},
		"--shards 0":          {"--kubernetes", "--image=a", "--claim=c", "--", "repro"},
		"--claim is missing":  {"--kubernetes", "--image=a", "--shards=2", "--", "repro"},
		"must be repro, gate": append(good, "--", "bench"),
		"what follows --":     good,
		"--name \"A b\"":      append(good, "--name=A b", "--", "repro"),
		"--retries -1":        append(good, "--retries=-1", "--", "repro"),
	} {
		if _, err := runJob(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

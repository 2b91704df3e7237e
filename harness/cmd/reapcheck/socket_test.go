package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A target may listen on a Unix socket, whatever is done with it.
func TestOrdersAndBenchOfATargetAtASocket(t *testing.T) {
	needNamespaces(t)
	folder, err := os.MkdirTemp("", "reapcheck-") // t.TempDir's name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket, file := filepath.Join(folder, "its.sock"), filepath.Join(folder, "words.yaml")
	const dialect = `
socket: %s
ready: /health
commands: words
request: {path: /run, body: {cmd: <command>}}
response: {exitCode: /exitCode, output: /output}
`
	if err := os.WriteFile(file, []byte(fmt.Sprintf(dialect, socket)), 0o644); err != nil {
		t.Fatal(err)
	}
	for said, args := range map[string][]string{
		"every order was tried": {"orders", "--list"},
		"after 20 commands":     {"bench", "--quick", "--part=leaks", "--commands=20"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), runLimit)
		t.Cleanup(cancel)
		args = append(args, "--runtime=namespace", "--binary="+built(t, "foreign"), "--dialect="+file)
		if args[0] == "bench" {
			args = append(args, "--results="+t.TempDir())
		}
		args = append(args, "--", "--dialect=words", "--listen=unix:"+socket)
		cmd := exec.CommandContext(ctx, built(t, "reapcheck"), args...)
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		finish(t, cmd, "").expectSaid(t, said)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A target may listen on a Unix socket, whatever is done with it.
func TestOrdersAndBenchOfATargetAtASocket(t *testing.T) {
	folder := shortFolder(t)
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
		args = append(args, "--runtime=namespace", "--binary="+built(t, "foreign"), "--dialect="+file)
		if args[0] == "bench" {
			args = append(args, "--results="+t.TempDir())
		}
		args = append(args, "--", "--dialect=words", "--listen=unix:"+socket)
		finish(t, command(t, args...), "").expectSaid(t, said)
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The image that `make image` builds judges a daemon inside a container, with the rights
// that docs/container.md names, and says what is missing without them.
func TestTheHarnessRunsInAContainer(t *testing.T) {
	t.Parallel()
	newEngineFront(t) // skips where no engine is
	built(t, "reapcheck")
	tag := fmt.Sprintf("reapcheck-image-test:%d", os.Getpid())
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = "../../.."
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	defer exec.Command("docker", "rmi", "--force", tag).Run()
	if out, err := run("tools/image/image.sh", tag, "test", "", programs); err != nil {
		t.Fatalf("build the image: %v\n%s", err, out)
	}
	bare, err := run("docker", "run", "--rm", tag, "doctor")
	if err == nil || !strings.Contains(bare, "--cap-add SYS_ADMIN --cap-add NET_ADMIN") {
		t.Errorf("doctor without rights: %v, and it does not say which are missing:\n%s", err, bare)
	}
	for _, rights := range [][]string{
		{"--cap-drop=ALL", "--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN"},
		{
			"--cap-drop=ALL", "--user=1000", "--security-opt=seccomp=unconfined",
			"--security-opt=systempaths=unconfined",
		},
	} {
		args := append(append([]string{"run", "--rm"}, rights...), tag, "repro", "--black-box",
			"--runtime=namespace", "--only=reaper-wins,exit-codes")
		if out, err := run("docker", args...); err != nil ||
			!strings.HasSuffix(out, "verdict: pass\n") {
			t.Errorf("with %v: %v\n%s", rights, err, out)
		}
	}
}

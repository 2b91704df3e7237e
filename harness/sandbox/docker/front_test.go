package docker

import (
	"context"
	"strings"
	"testing"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestDockerFrontBecomesTheTarget(t *testing.T) {
	d := runtimeOf(t)
	s := sandboxtest.Spec(t, "one", "two")
	s.Front = sandboxtest.Front(t)
	sb := sandboxtest.Start(t, d, s)
	if log := string(sb.Log()); !strings.HasPrefix(log, "front [first /usr/local/bin/daemon one two]\ntarget starts as 1 ") {
		t.Errorf("log: %q", log)
	}
	if got := sandboxtest.Shell(t, sb, "echo $PPID; touch /.reapcheck/x"); !strings.Contains(got, "1\n") || !strings.Contains(got, "Read-only file system") {
		t.Errorf("the shell's parent is not PID 1, or the folder can be written: %q", got)
	}
}

// imageWith is the run's image with other settings.
func imageWith(t *testing.T, d *Runtime, changes ...string) string {
	t.Helper()
	image := runRepository + ":" + strings.ToLower(t.Name())
	running := sandboxtest.Start(t, d, sandboxtest.Spec(t)).(*container)
	_, err := d.engine().ContainerCommit(t.Context(), running.id, client.ContainerCommitOptions{Reference: image, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := d.engine().ImageRemove(context.Background(), image, client.ImageRemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	return image
}

// An image keeps its user, its entry point and its arguments, and its root may
// be read-only.
func TestDockerFrontLeavesTheImageAsItIs(t *testing.T) {
	d := runtimeOf(t)
	image := imageWith(t, d, "USER 1234", `ENTRYPOINT ["/usr/local/bin/daemon","of-entrypoint"]`, `CMD ["of-image"]`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "front [first /usr/local/bin/daemon of-entrypoint of-image]\n"},
		{[]string{"mine"}, "front [first /usr/local/bin/daemon of-entrypoint mine]\n"},
	} {
		s := sandbox.Spec{Name: "front", Image: image, Args: c.args, Front: sandboxtest.Front(t), Port: 2280, Ready: "/healthz"}
		request, err := d.request(s)
		if err != nil {
			t.Fatal(err)
		}
		others := request.HostConfigModifier
		request.HostConfigModifier = func(host *engine.HostConfig) {
			others(host)
			host.ReadonlyRootfs = true
		}
		if err := d.placeFront(t.Context(), &request, s.Front); err != nil {
			t.Fatal(err)
		}
		sb, err := d.launch(t.Context(), s, request)
		if err != nil {
			t.Fatal(err)
		}
		if log := string(sb.Log()); !strings.HasPrefix(log, c.want) {
			t.Errorf("log: %q", log)
		}
		if got := sandboxtest.Shell(t, sb, "id -u; touch /x"); !strings.Contains(got, "1234\n") || !strings.Contains(got, "Read-only file system") {
			t.Errorf("user or root: %q", got)
		}
		if err := sb.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

package docker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// liveAsOrphan starts a sandbox, says so, and lives until its input ends.
func liveAsOrphan(binary string) int {
	rt := New(Config{Run: sandboxtest.RunName(os.Getppid()), Binaries: []string{binary}})
	err := rt.Prepare(context.Background(), io.Discard)
	var sb sandbox.Sandbox
	if err == nil {
		spec := sandbox.Spec{Name: "orphan", Binary: binary, Port: 2280, Ready: "/healthz"}
		sb, err = rt.Start(context.Background(), spec)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", sb.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// labelledOwner counts containers and images of one owner.
func labelledOwner(t *testing.T, d *Runtime, o owner.Process) int {
	t.Helper()
	filter := client.Filters{}.Add("label", ownerLabel+"="+o.String())
	containers, err := d.engine().ContainerList(t.Context(), client.ContainerListOptions{
		All:     true,
		Filters: filter,
	})
	if err != nil {
		t.Fatal(err)
	}
	images, err := d.engine().ImageList(t.Context(), client.ImageListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	return len(containers.Items) + len(images.Items)
}

// sweepThis keeps to what this test process made: others may be at work on
// the same engine, and it is the sweep that is under test.
func sweepThis(t *testing.T) (Swept, int, error) {
	return sweepRuns(t.Context(), runtimeOf(t).engine(),
		runLabel+"="+sandboxtest.RunName(os.Getpid()))
}

func TestSweepAfterKill(t *testing.T) {
	d := runtimeOf(t)
	living := sandboxtest.Start(t, d, sandboxtest.Spec(t))

	child, _ := sandboxtest.StartChild(t, os.Args[0], "orphan", nil)
	orphans := owner.Of(child.Process.Pid)

	if _, alive, err := sweepThis(t); err != nil || alive < 4 {
		t.Fatalf("two images and two containers alive expected, found %d (%v)", alive, err)
	}
	if n := labelledOwner(t, d, orphans); n != 2 {
		t.Fatalf("a container and an image of the living child expected after a sweep, found %d", n)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if swept, alive, err := sweepThis(t); swept != (Swept{1, 1}) || alive < 2 || err != nil {
		t.Errorf("one container and one image expected, swept %+v, %d alive (%v)", swept, alive,
			err)
	}
	if n := labelledOwner(t, d, orphans); n != 0 {
		t.Errorf("%d things of the killed child are left", n)
	}
	if got := sandboxtest.Shell(t, living, "echo alive"); got != "0 alive\n" {
		t.Errorf("the living run's sandbox: %q", got)
	}
}

// An engine that gives up its wait for the end of a container is asked again, and no more
// often than that.
func TestAContainerThatIsSlowToEnd(t *testing.T) {
	for name, c := range map[string]struct {
		says      string
		fails     int32
		asked     int32
		isRemoved bool
	}{
		"at the second try": {"tried to kill container, but did not receive an exit event", 1, 2, true},
		"never":             {"tried to kill container, but did not receive an exit event", 99, 3, false},
		"for another cause": {"no such plugin", 99, 1, false},
	} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) <= c.fails {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprintf(w, `{"message": %q}`, c.says)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		engine, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()),
			client.WithAPIVersion("1.44"))
		if err != nil {
			t.Fatal(err)
		}
		err = removeContainer(t.Context(), engine, "c0")
		server.Close()
		if n := asked.Load(); n != c.asked || (err == nil) != c.isRemoved {
			t.Errorf("%s: asked %d times, %v", name, n, err)
		}
	}
}

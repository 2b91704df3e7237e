package namespace

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// A terminal signals the whole group, kill(1) the one process that the user
// knows of. Either comes once.
func TestAnOrdinaryUsersSignalsComeOnce(t *testing.T) {
	child := exec.Command(sandboxtest.OfNobody(t))
	child.Env = append(os.Environ(), sandboxtest.AsChild(t, "signals"))
	child.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: sandboxtest.Nobody, Gid: sandboxtest.Nobody},
		Setpgid:    true,
	}
	output, err := child.StdoutPipe()
	if err = errors.Join(err, child.Start()); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(sandbox.CleanupLimit, func() { _ = child.Process.Kill() }).Stop()
	var said []string
	for lines := bufio.NewScanner(output); lines.Scan(); {
		said = append(said, lines.Text())
		switch len(said) {
		case 1:
			err = syscall.Kill(-child.Process.Pid, syscall.SIGINT)
		case 2:
			err = child.Process.Signal(syscall.SIGTERM)
		}
		if err != nil {
			t.Error(err)
		}
	}
	if err := child.Wait(); err != nil ||
		!slices.Equal(said, []string{"ready", "interrupt", "terminated"}) {
		t.Errorf("it said %q and ended with %v", said, err)
	}
}

// The harness of an ordinary user is two processes. Killing the one that the
// user knows of must end the other one and the sandboxes.
func TestOrdinaryUser(t *testing.T) {
	child, target := sandboxtest.StartChild(t, sandboxtest.OfNobody(t), "orphan",
		&syscall.SysProcAttr{Credential: &syscall.Credential{
			Uid: sandboxtest.Nobody,
			Gid: sandboxtest.Nobody,
		}})
	all := sleepIn(t, target)
	inner := all.Target().Parent
	if inner == child.Process.Pid {
		t.Error("the harness has not become root")
	}
	if info, err := os.Stat(fmt.Sprintf("/proc/%d", target)); err != nil ||
		info.Sys().(*syscall.Stat_t).Uid != sandboxtest.Nobody {
		t.Errorf("target of user %d expected: %v, %v", sandboxtest.Nobody, info, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, append(all, probe.Process{PID: inner, Name: "harness"}))
}

func TestNamespaceAdvice(t *testing.T) {
	for _, c := range []struct {
		err      error
		set      map[string]string
		filtered bool
		want     string
	}{
		{syscall.ENOSPC, map[string]string{"user.max_net_namespaces": "0"}, false,
			"user.max_net_namespaces is 0"},
		{syscall.ENOSPC, map[string]string{"user.max_net_namespaces": "5"}, true,
			"as many namespaces"},
		{syscall.EUSERS, nil, false, "too deep"},
		{syscall.EINVAL, nil, false, "kernel was built without"},
		{&stage.Failure{
			Where: stage.ErrMount,
			Errno: syscall.EPERM,
		}, nil, true, "systempaths=unconfined"},
		{syscall.EPERM, map[string]string{"kernel.unprivileged_userns_clone": "0"}, true,
			"seccomp=unconfined"},
		{syscall.EPERM, map[string]string{"kernel.unprivileged_userns_clone": "0"}, false,
			"kernel.unprivileged_userns_clone=1"},
		{syscall.EACCES, map[string]string{"kernel.apparmor_restrict_unprivileged_userns": "1"},
			false, "kernel.apparmor_restrict_unprivileged_userns=0"},
		{syscall.EPERM, nil, false, "security module"},
	} {
		sysctl := func(name string) string { return c.set[name] }
		if got := namespaceAdvice(fmt.Errorf("clone: %w", c.err), sysctl,
			c.filtered); !strings.Contains(got, c.want) {
			t.Errorf("%v, %v, filtered %v: %q", c.err, c.set, c.filtered, got)
		}
	}
}

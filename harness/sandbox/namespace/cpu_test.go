package namespace

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox/cgroup"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestNamespaceLimitCPU(t *testing.T) {
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	sandboxtest.MustLimitCPU(t, sb)
	s := sb.(*namespaced)
	if s.cpu != "" {
		t.Errorf("%s was not removed", s.cpu)
	}
	// What has ended under a limit leaves no group behind.
	if err := s.LimitCPU(t.Context(), 0.1); err != nil {
		t.Fatal(err)
	}
	group := s.cpu
	if err := errors.Join(s.Stop(t.Context()), s.FreeCPU(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(group); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", group, err)
	}
}

func isGone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

func TestSweepControlGroupsOfTheDead(t *testing.T) {
	own, err := cgroup.CPU(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	ended, ok := owner.Parse(strings.Replace(owner.This().String(), strconv.Itoa(os.Getpid()), "999999999", 1))
	if !ok {
		t.Fatal("no owner that is dead")
	}
	alive, dead := filepath.Join(own, groupName(owner.This(), 7)), filepath.Join(own, groupName(ended, 7))
	for _, group := range []string{alive, dead} {
		if err := os.Mkdir(group, 0o755); err != nil {
			t.Skip(err)
		}
		defer os.Remove(group)
	}
	if n, err := SweepGroups(); n < 1 || err != nil {
		t.Errorf("%d removed, error %v", n, err)
	}
	if !isGone(dead) || isGone(alive) {
		t.Errorf("the dead one's alone was to be removed: dead %v, alive %v", isGone(dead), isGone(alive))
	}
}

func TestControlGroupsNameTheirOwner(t *testing.T) {
	if o, ok := groupOwner(groupName(owner.This(), 7)); !ok || o != owner.This() {
		t.Errorf("%+v, %v", o, ok)
	}
	for _, name := range []string{"reapcheck-7", "reapcheck-7-x", "other-7-a_b_1_2", ""} {
		if _, ok := groupOwner(name); ok {
			t.Errorf("%q has an owner", name)
		}
	}
}

package fault

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// This machine's own /tmp must not be filled.
func TestFullTempDeclinesAFolderThatItDidNotAskFor(t *testing.T) {
	for pid, want := range map[int]string{os.Getpid(): "not the folder", 0: "cannot be seen"} {
		_, err := FullTemp{Burst: 2}.Inject(t.Context(), pidOf{pid: pid})
		if !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), want) {
			t.Errorf("process %d: %v, want %q", pid, err, want)
		}
	}
}

type pidOf struct {
	sandbox.Sandbox
	pid int
}

func (p pidOf) PID() int              { return p.pid }
func (p pidOf) Done() <-chan struct{} { return nil }

// Every second burst finds no room, or that for a page or two; between them there is.
func TestFullTempComesAndGoesWithTheBursts(t *testing.T) {
	const all = 256
	folder := smallFolder(t, all)
	f := FullTemp{Burst: 2}.in(folder, nil)
	var left []int
	for range 12 {
		f.Before(t.Context())
		left = append(left, pagesLeft(t, folder))
		f.After("")
	}
	if want := []int{0, 0, all, all, 1, 1, all, all, 2, 2, all, all}; !slices.Equal(left, want) {
		t.Errorf("%d pages were left, want %d", left, want)
	}
	if hits, note, err := f.Hits(t.Context()); hits != 6 || note != "" || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := f.Undo(t.Context()); err != nil || pagesLeft(t, folder) != all {
		t.Errorf("%d pages left, error %v", pagesLeft(t, folder), err)
	}
}

// smallFolder has so many pages, for the calling thread alone.
func smallFolder(t *testing.T, pages int) string {
	t.Helper()
	folder := t.TempDir()
	runtime.LockOSThread() // for ever: the thread ends with the test
	size := fmt.Sprintf("size=%d", pages*os.Getpagesize())
	if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS),
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", folder, "tmpfs", 0, size)); err != nil {
		t.Skip("this user may not mount:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	return folder
}

func pagesLeft(t *testing.T, folder string) int {
	t.Helper()
	var room unix.Statfs_t
	if err := unix.Statfs(folder, &room); err != nil {
		t.Fatal(err)
	}
	return int(room.Bfree)
}

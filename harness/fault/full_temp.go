package fault

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// FullTemp fills the folder for temporary files: of every two bursts of requests the first
// meets one that has room for a few pages at most, another number of them each time. Empty
// files can still be made: what fails is to write to them (ENOSPC, write(2)).
//
// A hit is a command that was asked for while it was full, and still was when the answer
// came.
type FullTemp struct {
	// Burst is how many requests are sent at once.
	Burst int
}

const (
	// tempBytes is the size of the folder, and more than any command here needs.
	tempBytes = 8 << 20
	// mostPages is how many pages are left at most.
	mostPages = 2
	// filler is the file that takes up the room.
	filler = "reapcheck-full"
)

// Name says what happens.
func (FullTemp) Name() string { return "no room in /tmp in every second burst" }

// Prepare asks for a folder that can be filled and takes nothing from anyone else.
func (FullTemp) Prepare(spec *sandbox.Spec) error {
	spec.Temp = tempBytes
	return nil
}

// Under says whether a trial meets a full folder.
func (f FullTemp) Under(index int) bool { return f.bursts().meet(index) }

func (f FullTemp) bursts() bursts { return bursts{firsts, f.Burst} }

// Inject declines where this process may not write into the sandbox's files.
func (f FullTemp) Inject(_ context.Context, sb sandbox.Sandbox) (Injection, error) {
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	full := f.in(sandbox.Inside(sb, sandbox.TempFolders[0]), sb)
	if err := errors.Join(full.fill(0), full.empty()); err != nil {
		return nil, fmt.Errorf("%w: fill /tmp of the sandbox: %w", ErrDeclined, err)
	}
	return full, nil
}

// in fills a folder until the target has ended.
func (f FullTemp) in(folder string, sb sandbox.Sandbox) *filling {
	return &filling{FullTemp: f, folder: folder, sandbox: sb, bursts: inBursts{bursts: f.bursts()}}
}

type filling struct {
	FullTemp
	folder  string
	sandbox sandbox.Sandbox

	bursts inBursts

	count
}

// fill leaves room for so many pages.
func (f *filling) fill(pages int64) error {
	var room unix.Statfs_t
	if err := unix.Statfs(f.folder, &room); err != nil {
		return err
	}
	if room.Type != unix.TMPFS_MAGIC || int64(room.Blocks)*room.Bsize > tempBytes {
		return errors.New("it is not the folder that was asked for")
	}
	file, err := os.OpenFile(f.folder+"/"+filler, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if bytes := (int64(room.Bfree) - pages) * room.Bsize; bytes > 0 {
		return unix.Fallocate(int(file.Fd()), 0, 0, bytes)
	}
	return nil
}

func (f *filling) empty() error {
	err := os.Remove(f.folder + "/" + filler)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Before fills or empties the folder for the first of a burst; the others wait.
func (f *filling) Before(ctx context.Context) {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	burst, changes := f.bursts.next()
	if !changes {
		return
	}
	err := f.empty()
	if f.bursts.on {
		err = errors.Join(err, f.fill(int64(burst/2%(mostPages+1))))
	}
	f.fail(unlessOver(ctx, f.sandbox, err))
}

// After is called before the next burst begins.
func (f *filling) After(string) {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	var room unix.Statfs_t
	if f.bursts.on && unix.Statfs(f.folder, &room) == nil && room.Bfree <= mostPages {
		f.hit()
	}
}

// Undo empties the folder.
func (f *filling) Undo(ctx context.Context) error {
	return unlessOver(ctx, f.sandbox, f.empty())
}

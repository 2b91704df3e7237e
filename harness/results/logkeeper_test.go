package results

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A status that the reaper publishes after the answer stands in the log after
// it: that line explains the failure and has to be in what is kept.
func TestAKeptLogHoldsWhatCameAfterTheAnswer(t *testing.T) {
	dir := t.TempDir()
	var k LogKeeper
	log := []byte("start\nanswered 1\n")
	read := func() []byte { return bytes.Clone(log) }
	for i := range logsPerArm + 1 {
		if err := k.Keep(filepath.Join(dir, fmt.Sprint(i)), read); err != nil {
			t.Fatal(err)
		}
		log = fmt.Appendf(log, "after %d\n", i)
	}
	if err := k.Extend(read); err != nil {
		t.Fatal(err)
	}
	for i := range logsPerArm {
		got, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil || string(got) != string(log) {
			t.Errorf("log %d: %q, %v", i, got, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != logsPerArm {
		t.Errorf("%d logs kept", len(entries))
	}
}

// A first word may come after the answer; without any there is nothing to keep.
func TestALogThatWasEmpty(t *testing.T) {
	for _, said := range []string{"", "late\n"} {
		path := filepath.Join(t.TempDir(), "log")
		var k LogKeeper
		log := ""
		read := func() []byte { return []byte(log) }
		err := k.Keep(path, read)
		log = said
		if err = errors.Join(err, k.Extend(read)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != said || (err != nil) != (said == "") {
			t.Errorf("%q kept as %q, %v", said, got, err)
		}
	}
}

func TestAKeptLogIsBoundedAndExtendedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var k LogKeeper
	log := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	copy(log[len(log)-5:], "mark")
	if err := k.Keep(path, func() []byte { return log }); err != nil {
		t.Fatal(err)
	}
	longer := append(bytes.Clone(log), bytes.Repeat([]byte("x"), 1<<20)...)
	for range 2 {
		if err := k.Extend(func() []byte { return longer }); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != logBefore+logAfter {
		t.Errorf("%v, %v", info, err)
	}
}

func TestALogThatMovedOnIsLeftAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var k LogKeeper
	if err := k.Keep(path, func() []byte { return []byte("old\n") }); err != nil {
		t.Fatal(err)
	}
	if err := k.Extend(func() []byte { return []byte("new\n") }); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old\n" {
		t.Errorf("%q, %v", got, err)
	}
}

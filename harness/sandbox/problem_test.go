package sandbox

import (
	"errors"
	"strings"
	"testing"
)

// The texts are what Docker Engine 20.10 said on a 5 MB and a 40 MB disk.
func TestDiskFull(t *testing.T) {
	for text, want := range map[string]bool{
		"Error response from daemon: ApplyLayer exit status 1 stdout:  stderr: write /usr/lib/libc.so.6: no space left on device": true,
		"build image: ApplyLayer exit status 1 stdout:  stderr: write /usr/local/bin/daemon: no space left on device":             true,
		"build image: COPY failed: file not found in build context":                                                               false,
	} {
		if got := diskFull(errors.New(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	err := Unavailable("build image", errors.New("no space left on device"), "another base")
	if text := err.Error(); !errors.Is(err, ErrUnavailable) || !strings.Contains(text, "disk is full") || strings.Contains(text, "another base") {
		t.Error(text)
	}
}

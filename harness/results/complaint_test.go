package results

import "testing"

func TestWhatALogComplainsOf(t *testing.T) {
	for log, want := range map[string]string{
		"":                          "",
		"listening on :80\nGET /\n": "",
		"listening\nTraceback (most recent call last):\n  File \"d.py\", line 7, in run\n    raise X\n" +
			"ValueError: no child\nGET /\n": "Traceback (most recent call last): ValueError: no child",
		"thread 'main' panicked at src/main.rs:9:5:\nwait() should either return Ok or panic\n": "thread " +
			"'main' panicked at src/main.rs:9:5: wait() should either return Ok or panic",
		"panic: close of closed channel\n\ngoroutine 7 [running]:\n": "panic: close of closed channel " +
			"goroutine 7 [running]:",
		"Exception in thread Thread-2 (reaper):\nTraceback (most recent call last):\n  File \"d.py\"\n" +
			"OSError: [Errno 9] Bad file descriptor\n": "Exception in thread Thread-2 (reaper): " +
			"Traceback (most recent call last): OSError: [Errno 9] Bad file descriptor",
		"handled 3 errors": "",
	} {
		if got := complaint([]byte(log)); got != want {
			t.Errorf("%q: %q, want %q", log, got, want)
		}
	}
}

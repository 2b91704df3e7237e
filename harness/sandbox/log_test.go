package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

func TestLogTailKeepsTheEnd(t *testing.T) {
	l := &LogTail{Limit: 100}
	var all strings.Builder
	for i := range 1000 {
		fmt.Fprintf(l, "line %d\n", i)
		fmt.Fprintf(&all, "line %d\n", i)
	}
	got := string(l.Bytes())
	head, rest, _ := strings.Cut(got, "\n")
	if want := fmt.Sprintf("[log cut: the first %d bytes are left out]", all.Len()-len(rest)); head != want {
		t.Errorf("%q expected, got %q", want, head)
	}
	if !strings.HasSuffix(all.String(), "\n"+rest) || len(rest) > 100 || len(rest) < 80 {
		t.Errorf("whole lines at the log's end expected, got %q", rest)
	}
}

func TestLogTailSaysNothingOfAWholeLog(t *testing.T) {
	l := &LogTail{Limit: 100}
	fmt.Fprint(l, strings.Repeat("x", 100))
	if got := string(l.Bytes()); got != strings.Repeat("x", 100) {
		t.Errorf("%q", got)
	}
	fmt.Fprint(l, "y")
	if got := string(l.Bytes()); !strings.HasPrefix(got, "[log cut: the first 1 bytes") || !strings.HasSuffix(got, "xy") {
		t.Errorf("one line longer than the limit: %q", got)
	}
}

func TestLastLines(t *testing.T) {
	tests := []struct {
		log  string
		n    int
		want string
	}{
		{"a\nb\nc\n", 2, "b\nc"},
		{"a\nb\nc", 2, "b\nc"},
		{"a\nb\nc\n", 3, "a\nb\nc"},
		{"a\nb\nc\n", 9, "a\nb\nc"},
		{"a", 1, "a"},
		{"", 5, ""},
		{"\n\n", 5, ""},
	}
	for _, test := range tests {
		if got := lastLines([]byte(test.log), test.n); got != test.want {
			t.Errorf("last %d of %q: %q", test.n, test.log, got)
		}
	}
}

package printable

import "testing"

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 漢\n\t":      "plain é 漢\n\t",
		"\x1b[31m":           `\x1b[31m`,
		"a\u202eb\u2066":     `a\u202eb\u2066`,
		"\xffa\xc3(":         `\xffa\xc3(`,
		"\x00\r\u0085\u2028": `\x00\r\u0085\u2028`,
		"\ufffd":             "\ufffd",
	} {
		if got := Escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestClipCutsBetweenRunes(t *testing.T) {
	if got := Clip("aé", 2); got != "a... (2 bytes more)" {
		t.Errorf("%q", got)
	}
	if got := Clip("aé", 3); got != "aé" {
		t.Errorf("%q", got)
	}
}

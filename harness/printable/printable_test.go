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

func TestPercent(t *testing.T) {
	for rate, want := range map[float64]string{
		0: "0%", 1: "100%", 0.5: "50%", 0.9999: ">99.9%", 0.995: "99.5%", 0.1234: "12%",
		0.0064: "0.64%", 0.000002: "0.0002%",
	} {
		if got := Percent(rate); got != want {
			t.Errorf("%v: %s, want %s", rate, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := Wrap("one two  three averyveryverylongword end", 12, "  ")
	want := "  one two\n  three\n  averyveryverylongword\n  end\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSomeNamesAFew(t *testing.T) {
	for _, c := range []struct {
		most int
		want string
	}{{4, "a, b, c, d"}, {3, "a, b, c and 1 more"}, {0, "a, b, c and 1 more"}} {
		if got := Some(c.most, []string{"a", "b", "c", "d"}); got != c.want {
			t.Errorf("at most %d: %q, want %q", c.most, got, c.want)
		}
	}
	if got := Some(0, []string{"a", "b"}); got != "a, b" {
		t.Errorf("two names: %q", got)
	}
}

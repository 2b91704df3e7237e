package report

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/reapcheck/reapcheck/harness/results"
)

// elements are all elements of a page, in the order of their start.
func elements(t *testing.T, page []byte) []*html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func pageOf(t *testing.T, run results.Run) []byte {
	t.Helper()
	page, err := HTML(run)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func names(nodes []*html.Node) []string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Data)
	}
	return all
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// What the page is made of, and the only attributes that may name a place.
var (
	allowed = strings.Fields(
		`html head meta title style body header h1 h2 h3 p span dl div dt dd code nav a main section
		table caption thead tbody tr th td svg g text line circle path rect ul li details summary article strong pre ol`)
	places = regexp.MustCompile(`^(#|\./)[^:]*$`)
)

func TestPageNeedsNothingElse(t *testing.T) {
	real, err := results.Load("../results/testdata/fail")
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]results.Run{"real": real, "hostile": hostileRun(t, attack)} {
		for _, n := range elements(t, pageOf(t, run)) {
			if !slices.Contains(allowed, n.Data) {
				t.Errorf("%s: <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case a.Key == "href":
					if !places.MatchString(a.Val) {
						t.Errorf("%s: link to %q", name, a.Val)
					}
				case strings.HasPrefix(a.Key, "on"),
					slices.Contains([]string{"src", "srcset", "style", "action", "data", "poster",
						"background", "formaction"}, a.Key):
					t.Errorf("%s: <%s %s>", name, n.Data, a.Key)
				}
			}
		}
	}
	if found := regexp.MustCompile(`url\(|@import|expression`).FindString(pageStyle); found != "" {
		t.Errorf("the style has %s", found)
	}
}

// The same folder with harmless text must give the same elements: what a
// target says never becomes markup.
func TestHostileTextMakesNoMarkup(t *testing.T) {
	hostile := pageOf(t, hostileRun(t, attack))
	harmless := pageOf(t, hostileRun(t, strings.Repeat("harmless ", 60)+"\n tail"))
	visible(t, "page", string(hostile))
	if got, want := names(elements(t, hostile)), names(elements(t, harmless)); !slices.Equal(got,
		want) {
		t.Errorf("%d elements, %d wanted", len(got), len(want))
	}
	if !strings.Contains(string(hostile), `\u202egnp.exe`) ||
		!strings.Contains(string(hostile), `\x1b[31m`) ||
		!strings.Contains(string(hostile), `\xff`) {
		t.Error("what does not print is not shown as an escape")
	}
}

func TestPageCanBeReadByAll(t *testing.T) {
	run, err := results.Load("../results/testdata/fail")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	page := elements(t, pageOf(t, run))
	for _, n := range page {
		if id := attribute(n, "id"); id != "" {
			if anchors[id] {
				t.Errorf("two elements are called %s", id)
			}
			anchors[id] = true
		}
		switch scope := attribute(n, "scope"); {
		case n.Data == "html" && attribute(n, "lang") == "":
			t.Error("the page has no language")
		case n.Data == "th" && scope != "col" && scope != "row":
			t.Errorf("a heading of a table without scope: %q", scope)
		case n.Data == "svg" && n.Parent.Data != "svg" && attribute(n, "aria-hidden") != "true":
			t.Error("a drawing is read aloud; its numbers stand beside it")
		case attribute(n, "role") == "region" && attribute(n, "aria-label") == "":
			t.Error("a region without a name")
		}
	}
	for _, n := range page {
		if target, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok && n.Data == "a" &&
			!anchors[target] {
			t.Errorf("a link to #%s, which is nowhere", target)
		}
	}
}

// WCAG 2.2, 1.4.3: text needs a contrast of 4.5 to 1; 1.4.11: drawings need 3.
func TestContrast(t *testing.T) {
	declared := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`)
	light, dark, found := strings.Cut(pageStyle, "prefers-color-scheme: dark")
	if !found {
		t.Fatal("no dark colours")
	}
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]string{}
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			colour[m[1]] = m[2]
		}
		if len(colour) != 15 {
			t.Errorf("%s: %d colours", scheme, len(colour))
		}
		for _, p := range []struct {
			front, back string
			least       float64
		}{
			{"fg", "bg", 4.5}, {"fg", "panel", 4.5}, {"fg", "mark-bg", 4.5}, {"fg", "fail-bg",
				4.5}, {"fg", "unsure-bg", 4.5},
			{"muted", "bg", 4.5}, {"muted", "panel", 4.5}, {"muted", "fail-bg", 4.5}, {"muted",
				"unsure-bg", 4.5},
			{"link", "bg", 4.5}, {"link", "fail-bg", 4.5}, {"link", "unsure-bg", 4.5},
			{"pass", "pass-bg", 4.5}, {"fail", "fail-bg", 4.5}, {"unsure", "unsure-bg", 4.5},
			{"candidate", "bg", 3}, {"baseline", "bg", 3}, {"candidate", "fail-bg", 3}, {"baseline",
				"fail-bg", 3},
			{"candidate", "unsure-bg", 3}, {"baseline", "unsure-bg", 3},
		} {
			if c := contrast(t, colour[p.front], colour[p.back]); c < p.least {
				t.Errorf("%s: %s on %s has a contrast of %.1f", scheme, p.front, p.back, c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is relative luminance as WCAG defines it.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestHref(t *testing.T) {
	for path, want := range map[string]string{
		"storm/candidate.jsonl": "./storm/candidate.jsonl",
		"javascript:alert(1)":   "./javascript%3Aalert%281%29",
		"a b#c?d\"<e>.log":      "./a%20b%23c%3Fd%22%3Ce%3E.log",
		"\xff":                  "./%FF",
	} {
		if got := href(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

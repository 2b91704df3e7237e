package report

import (
	"bytes"
	"context"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
)

// browse runs Chromium without a window on a page and returns what it prints.
func browse(t *testing.T, page string, args ...string) []byte {
	t.Helper()
	var chromium string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" && os.Getenv("CI") == "true" {
		t.Fatal("no Chromium, and CI=true demands one")
	} else if chromium == "" {
		t.Skip(
			"no Chromium here (Debian: apt-get install chromium): the page is not looked at in a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// Within a container there is neither a user namespace for Chromium's own
	// sandbox nor a /dev/shm of the size it likes. The page is ours.
	args = append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--user-data-dir=" + t.TempDir(),
	}, append(args, "file://"+page)...)
	cmd := exec.CommandContext(ctx, chromium, args...)
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run chromium: %v\n%s", err, printable.Clip(stderr.String(), 2000))
	}
	return out
}

func savePage(t *testing.T, page []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, page, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a target says is full of things that make a browser call home. The
// first page, which shows it as it is, proves that we would hear the call.
func TestBrowserCallsNobody(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter,
		*http.Request) {
		calls.Add(1)
	}))
	defer server.Close()
	text := strings.ReplaceAll(attack, "BASE", server.URL)
	// Time for scripts is virtual: the browser goes on when nothing is under way.
	const settle = "--virtual-time-budget=5000"

	browse(t, savePage(t, []byte("<!doctype html><body>"+text)), "--dump-dom", settle)
	if calls.Load() == 0 {
		t.Fatal("the attack does not work: nothing is proved")
	}
	calls.Store(0)
	browse(t, savePage(t, pageOf(t, hostileRun(t, text))), "--dump-dom", settle)
	if n := calls.Load(); n != 0 {
		t.Errorf("the page made %d calls", n)
	}
}

// Colour schemes and widths, on a screen of real pixels.
func TestBrowserDrawsThePage(t *testing.T) {
	run, err := results.Load("../results/testdata/fail")
	if err != nil {
		t.Fatal(err)
	}
	page := savePage(t, pageOf(t, run))
	for _, c := range []struct {
		name, scheme string // Blink's PreferredColorScheme: 0 is dark, 1 is light
		width        int
		ground       color.Color
	}{
		{"light", "1", 1280, color.NRGBA{0xff, 0xff, 0xff, 0xff}},
		{"dark", "0", 1280, color.NRGBA{0x0d, 0x11, 0x17, 0xff}},
	} {
		t.Run(c.name, func(t *testing.T) {
			shot := filepath.Join(t.TempDir(), "shot.png")
			browse(t, page, "--screenshot="+shot, "--window-size="+strconv.Itoa(c.width)+",2000",
				"--blink-settings=preferredColorScheme="+c.scheme)
			picture, err := png.Decode(bytes.NewReader(read(t, shot)))
			if err != nil {
				t.Fatal(err)
			}
			if got := color.NRGBAModel.Convert(picture.At(2, 2)); got != c.ground ||
				picture.Bounds().Dx() != c.width {
				t.Errorf("ground %v, want %v; %d pixels wide", got, c.ground, picture.Bounds().Dx())
			}
			colours := map[color.Color]bool{}
			for y := range picture.Bounds().Dy() {
				colours[picture.At(c.width/10, y)] = true
			}
			if len(colours) < 5 {
				t.Errorf("the page is empty: %d colours from top to bottom", len(colours))
			}
		})
	}
}

var overflow = regexp.MustCompile(`data-overflow="(-?\d+)"`)

// On a telephone tables scroll, the page does not. A script that only this test
// adds measures it; the page itself forbids scripts.
func TestBrowserFitsANarrowScreen(t *testing.T) {
	for name, run := range map[string]results.Run{"hostile": hostileRun(t, attack),
		"long words": hostileRun(t, strings.Repeat("x", 3000))} {
		page := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`).ReplaceAll(
			pageOf(t, run), nil)
		measure := `<script>document.querySelectorAll("details").forEach(d => d.open = true);
			document.documentElement.dataset.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth</script></body>`
		page = bytes.Replace(page, []byte("</body>"), []byte(measure), 1)
		dom := browse(t, savePage(t, page), "--dump-dom", "--window-size=390,800")
		switch m := overflow.FindSubmatch(dom); {
		case m == nil:
			t.Errorf("%s: not measured", name)
		case string(m[1]) != "0":
			t.Errorf("%s: the page is %s pixels too wide", name, m[1])
		}
	}
}

package driver

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

type atURL struct {
	sandbox.Sandbox
	url string
}

func (s atURL) URL() string { return s.url }
func (atURL) PID() int      { return 0 }

// A target that runs already is named by its URL alone.
func TestAPlaceAtAURL(t *testing.T) {
	for url, want := range map[string]struct {
		host, socket string
		port         int
	}{
		"http://127.0.0.1:8080": {host: "127.0.0.1", port: 8080},
		"https://sandbox":       {host: "sandbox", port: 443},
		"unix:///run/d.sock":    {socket: "/run/d.sock"},
	} {
		p := In(atURL{url: url})
		if p.Host != want.host || p.Port != want.port || p.Socket != want.socket || p.URL != url {
			t.Errorf("%s: %+v", url, p.Target)
		}
	}
}

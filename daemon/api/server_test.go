package api

import (
	"strings"
	"testing"
)

func TestOtherPathsAndMethods(t *testing.T) {
	url := serveRegistry(t, Options{})
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/nowhere", 404, "NOT_FOUND"},
		{"POST", "/process/execute/", 404, "NOT_FOUND"},
		{"GET", "/process/execute", 405, "METHOD_NOT_ALLOWED"},
		{"DELETE", "/healthz", 405, "METHOD_NOT_ALLOWED"},
	} {
		if a := do(t, request(t, c.method, url+c.path, nil)); a.status != c.status ||
			a.Code != c.code {
			t.Errorf("%s %s: status %d, body %s", c.method, c.path, a.status, a.raw)
		}
	}
}

func TestToken(t *testing.T) {
	url := serveRegistry(t, Options{Token: "secret"})
	for header, want := range map[string]int{
		"":               401,
		"Bearer":         401,
		"Bearer wrong":   401,
		"Bearer secret2": 401,
		"Bearer secre":   401,
		"secret":         401,
		"Bearer secret":  200,
	} {
		for _, path := range []string{"/version", "/debug/processes"} {
			req := request(t, "GET", url+path, nil)
			req.Header.Set("Authorization", header)
			if a := do(t, req); a.status != want {
				t.Errorf("%s with %q: status %d, want %d", path, header, a.status, want)
			}
		}
	}
	if a := post(t, url, `{"command":"true"}`); a.status != 401 || a.Code != "UNAUTHORIZED" {
		t.Errorf("execute without a token: status %d, body %s", a.status, a.raw)
	}
	if a := do(t, request(t, "GET", url+"/nowhere", nil)); a.status != 401 {
		t.Errorf("an unknown path without a token: status %d", a.status)
	}
	if a := do(t, request(t, "GET", url+"/healthz", nil)); a.status != 200 {
		t.Errorf("/healthz without a token: status %d", a.status)
	}
}

// A page in somebody's browser must not run commands here.
func TestForeignSitesAreRefused(t *testing.T) {
	req := request(t, "POST", serveRegistry(t, Options{})+"/process/execute",
		strings.NewReader(`{"command":"true"}`))
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("Origin", "https://example.com")
	if a := do(t, req); a.status != 403 || a.Code != "CROSS_ORIGIN" {
		t.Errorf("status %d, body %s", a.status, a.raw)
	}
}

func TestVersionAndCounts(t *testing.T) {
	url := serveRegistry(t, Options{Version: "v1", Strategy: "registry"})
	if a := do(t, request(t, "GET", url+"/version", nil)); a.Version != "v1" ||
		a.Strategy != "registry" {
		t.Errorf("version: %s", a.raw)
	}
	post(t, url, `{"command":"true"}`)
	if a := do(t, request(t, "GET", url+"/debug/processes", nil)); *a.InFlight != 0 ||
		*a.ReapedManaged != 1 {
		t.Errorf("counts: %s", a.raw)
	}
}

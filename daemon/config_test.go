package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func parse(env map[string]string, args ...string) (config, error) {
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	return parseConfig(args, look, new(bytes.Buffer))
}

func TestConfigPrecedence(t *testing.T) {
	c, err := parse(nil)
	if err != nil || c.strategy != "registry" || c.listen != "127.0.0.1:2280" || c.echildWait != 200*time.Millisecond {
		t.Errorf("defaults: %+v, %v", c, err)
	}
	env := map[string]string{"DECK_STRATEGY": "none", "DECK_MAX_OUTPUT": "5", "DECK_KILL_ON_DISCONNECT": "false"}
	c, err = parse(env)
	if err != nil || c.strategy != "none" || c.maxOutput != 5 || c.killOnDisconnect {
		t.Errorf("environment: %+v, %v", c, err)
	}
	c, err = parse(env, "--strategy=documented")
	if err != nil || c.strategy != "documented" || c.maxOutput != 5 {
		t.Errorf("flag over environment: %+v, %v", c, err)
	}
}

func TestEchildWait(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0":    0,
		"1":    time.Millisecond,
		"1000": time.Second,
	} {
		c, err := parse(map[string]string{"DECK_EXECUTE_ECHILD_WAIT_MS": value})
		if err != nil || c.echildWait != want {
			t.Errorf("%q: %v, %v, want %v", value, c.echildWait, err, want)
		}
	}
	for _, value := range []string{"", " ", "-1", "+1", "1.5", "1e3", "200ms", "abc", "0x10", "1_000", " 200", "99999999999999999999", "9223372036854775807"} {
		_, err := parse(map[string]string{"DECK_EXECUTE_ECHILD_WAIT_MS": value})
		if err == nil || !strings.Contains(err.Error(), "DECK_EXECUTE_ECHILD_WAIT_MS") || !strings.Contains(err.Error(), "whole number") {
			t.Errorf("%q: error %v, want one that names the variable and the rule", value, err)
		}
	}
}

func TestBadUsageExits64(t *testing.T) {
	for _, args := range [][]string{
		{"--strategy=magic"},
		{"--nonsense"},
		{"stray"},
		{"--max-output=-1"},
		{"--max-body=0"},
		{"--held-stdout-grace=-1s"},
		{"--shutdown-limit=-1s"},
		{"--kill-grace=-1s"},
		{"--execute-echild-wait-ms=soon"},
	} {
		var out, errOut bytes.Buffer
		if code := run(args, &out, &errOut); code != exitUsage || out.Len() > 0 || !strings.HasPrefix(errOut.String(), "daemon: ") {
			t.Errorf("%q: exit status %d, stdout %q, stderr %q", args, code, &out, &errOut)
		}
	}
}

func TestHelpAndVersionExit0(t *testing.T) {
	for arg, want := range map[string]string{"--help": "-execute-echild-wait-ms", "--version": "daemon "} {
		var out, errOut bytes.Buffer
		if code := run([]string{arg}, &out, &errOut); code != 0 || !strings.Contains(out.String(), want) || errOut.Len() > 0 {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q", arg, code, &out, &errOut)
		}
	}
}

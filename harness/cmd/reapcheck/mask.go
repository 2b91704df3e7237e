package main

import (
	"net/url"
	"regexp"
	"strings"
)

// secretName recognises the names that secrets go by.
var secretName = regexp.MustCompile(
	`(?i)token|secret|passw|passphrase|credential|auth|private|(api|access).?key`)

const mask = "***"

// maskAll hides what the values of a flag must not show in results.
func maskAll(flag string, values []string) []string {
	switch flag {
	case "env":
		return maskEach(values, maskVariable)
	case "url":
		return maskEach(values, maskURL)
	case "arg":
		return maskArguments(values)
	}
	return values
}

func maskEach(values []string, hide func(string) string) []string {
	var masked []string
	for _, v := range values {
		masked = append(masked, hide(v))
	}
	return masked
}

// maskVariable leaves a secret's name: --env NAME takes the value from the
// environment, so that a command line can be repeated without showing it.
func maskVariable(assignment string) string {
	name, _, _ := strings.Cut(assignment, "=")
	if secretName.MatchString(name) {
		return name
	}
	return assignment
}

func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return mask
	}
	return u.Redacted()
}

// maskArguments hides --token=x, and what follows --token.
func maskArguments(args []string) []string {
	masked := make([]string, len(args))
	hideNext := false
	for i, arg := range args {
		name, _, assigned := strings.Cut(arg, "=")
		secret := strings.HasPrefix(arg, "-") && secretName.MatchString(name)
		switch {
		case secret && assigned:
			masked[i] = name + "=" + mask
		case hideNext:
			masked[i] = mask
		default:
			masked[i] = arg
		}
		hideNext = secret && !assigned
	}
	return masked
}

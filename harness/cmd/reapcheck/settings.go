package main

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/userfile"
)

// resolve gives each flag that the command line leaves out the value of its
// environment variable, or else that of its key in the YAML file that --config
// names. Flag --base-image is REAPCHECK_BASE_IMAGE and the key base-image.
//
// A flag that may be given many times takes a line each from its variable, and
// a list or a mapping from the file.
func resolve(cmd *cobra.Command, lookup func(string) (string, bool)) error {
	open := map[string]*pflag.Flag{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed && f.Name != "help" && f.Name != "version" {
			open[f.Name] = f
		}
	})
	if err := fromEnvironment(cmd, open, lookup); err != nil {
		return err
	}
	if f := cmd.Flags().Lookup("config"); f == nil || f.Value.String() == "" {
		return nil
	}
	return fromFile(cmd, open, cmd.Flags().Lookup("config").Value.String())
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "REAPCHECK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fromEnvironment(cmd *cobra.Command, open map[string]*pflag.Flag,
	lookup func(string) (string, bool)) error {
	for name, f := range open {
		text, ok := lookup(variable(name))
		if !ok || text == "" {
			continue
		}
		values := []string{text}
		if many(f) {
			values = strings.Split(strings.Trim(text, "\n"), "\n")
		}
		if err := set(cmd, f, values, "environment"); err != nil {
			return fmt.Errorf("%s: %w", variable(name), err)
		}
		delete(open, name)
	}
	return nil
}

func fromFile(cmd *cobra.Command, open map[string]*pflag.Flag, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	doc, err := userfile.Read(path, text)
	if err != nil {
		return err
	}
	var content map[string]any
	if err := doc.Decode(&content); err != nil {
		return err
	}
	for name, value := range content {
		f := cmd.Flags().Lookup(name)
		if f == nil || name == "config" || name == "help" {
			return doc.Errorf([]string{name},
				"unknown setting %s: a setting is a flag of %q without its dashes", name,
				cmd.CommandPath())
		}
		if open[name] == nil {
			continue
		}
		values, err := texts(value)
		if err == nil {
			err = set(cmd, f, values, "file")
		}
		if err != nil {
			return doc.Errorf([]string{name}, "%s: %w", name, err)
		}
	}
	return nil
}

// texts are the values of a setting as one would write them after its flag.
func texts(value any) ([]string, error) {
	var values []string
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if item == nil {
				return nil, fmt.Errorf("item %d has no value", i+1)
			}
			values = append(values, fmt.Sprint(item))
		}
	case map[string]any:
		for name, item := range v {
			if item != nil { // a name alone is one to pass on
				name = fmt.Sprintf("%s=%v", name, item)
			}
			values = append(values, name)
		}
		slices.Sort(values)
	case nil:
		return nil, fmt.Errorf("has no value")
	default:
		values = []string{fmt.Sprint(v)}
	}
	return values, nil
}

func many(f *pflag.Flag) bool {
	_, ok := f.Value.(pflag.SliceValue)
	return ok
}

// origin marks where a flag's value is from.
const origin = "reapcheck-origin"

func set(cmd *cobra.Command, f *pflag.Flag, values []string, from string) error {
	if !many(f) && len(values) != 1 {
		return fmt.Errorf("takes one value, not %d", len(values))
	}
	for _, value := range values {
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			return err
		}
	}
	return cmd.Flags().SetAnnotation(f.Name, origin, []string{from})
}

// settings are the effective values of all flags, for the results.
func settings(cmd *cobra.Command) []results.Setting {
	var all []results.Setting
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "version" {
			return
		}
		s := results.Setting{Name: f.Name, Values: maskAll(f.Name, valuesOf(f)), From: "default"}
		if from := f.Annotations[origin]; len(from) > 0 {
			s.From = from[0]
		} else if f.Changed {
			s.From = "flag"
		}
		all = append(all, s)
	})
	return all
}

func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	if f.Value.String() == "" {
		return nil
	}
	return []string{f.Value.String()}
}

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
	case "driver", "exec":
		return maskEach(values, maskLine)
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

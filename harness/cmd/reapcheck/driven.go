package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/driver"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/target"
)

// driven are the flags that say who speaks to a target where no dialect can.
type driven struct {
	driver, exec string
	port         int
	socket       string
	declares     []string
}

func (d *driven) define(f *pflag.FlagSet) {
	f.StringVar(&d.driver, "driver", "",
		"`COMMAND` line of a program that speaks to the target, if no dialect can")
	f.StringVar(&d.exec, "exec", "",
		"`COMMAND` line that is started for each command, such as "+
			"docker exec {container} /bin/sh -c {script}")
	f.IntVar(&d.port, "port", 0,
		"with --driver or --exec: the `PORT` at which the target listens, if it does")
	f.StringVar(&d.socket, "socket", "",
		"with --driver or --exec: the `PATH` of the Unix socket at which it listens instead")
	f.StringSliceVar(&d.declares, "declare", nil,
		"with --driver or --exec: each `CHOICE` that the target makes on purpose, "+
			"as a dialect declares it")
}

// check says which flags do not go together.
func (d *driven) check(cmd *cobra.Command) error {
	switch given := d.driver != "" || d.exec != ""; {
	case d.driver != "" && d.exec != "":
		return errors.New("a target is spoken to by a --driver or by --exec: give just one of them")
	case given && cmd.Flags().Changed("dialect"):
		return errors.New("a target that --driver or --exec speaks to has no --dialect: " +
			"give just one of them")
	case !given && d.port != 0:
		return errors.New("--port is for --driver and --exec: a dialect has its own")
	case !given && d.socket != "":
		return errors.New("--socket is for --driver and --exec: a dialect has its own")
	case d.port != 0 && d.socket != "":
		return errors.New("a target listens at a --port or at a --socket: give just one of them")
	case d.socket != "" && !filepath.IsAbs(d.socket):
		return fmt.Errorf("--socket %s is invalid: give its whole path", d.socket)
	case !given && len(d.declares) > 0:
		return errors.New("--declare is for --driver and --exec: a dialect has its own declares")
	case d.unknown() != "":
		return fmt.Errorf("--declare %s is unknown: choose from %s", d.unknown(),
			strings.Join(results.Choices(), ", "))
	case d.port < 0 || d.port > 65535:
		return fmt.Errorf("--port %d is invalid: choose 1 to 65535", d.port)
	}
	return nil
}

// unknown is a declared choice that there is not; empty for none.
func (d *driven) unknown() string {
	for _, word := range d.declares {
		if !slices.Contains(results.Choices(), word) {
			return word
		}
	}
	return ""
}

// split makes words of the command lines, and a path of the program.
func (d *driven) split(t *target.Target) (err error) {
	if d.driver != "" {
		if t.Driver, err = words("driver", d.driver); err != nil {
			return err
		}
	}
	if d.exec == "" {
		return nil
	}
	if t.Exec, err = words("exec", d.exec); err == nil {
		err = driver.CheckExec(t.Exec)
	}
	t.Dialect = d.complete(driver.ExecDialect(t.Exec, d.port))
	t.GoesAround = driver.GoesAround(t.Exec)
	return err
}

// complete is a dialect with what only the flags say.
func (d *driven) complete(spoken dialect.Dialect) dialect.Dialect {
	spoken.Socket, spoken.Declares = d.socket, d.declares
	return spoken
}

func words(flag, line string) ([]string, error) {
	all, err := driver.Words(line)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	path, err := exec.LookPath(all[0])
	if err == nil {
		all[0], err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return all, nil
}

// meet asks a driver what it can do, before there is any target.
func (d *driven) meet(ctx context.Context, t *target.Target) error {
	if len(t.Driver) == 0 {
		return nil
	}
	hello, err := driver.Ask(ctx, t.Driver)
	t.Dialect = d.complete(driver.Dialect(hello, d.port))
	return err
}

// maskLine hides what the arguments in a command line must not show.
func maskLine(line string) string { return strings.Join(maskArguments(strings.Fields(line)), " ") }

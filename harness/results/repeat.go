package results

import (
	"slices"
	"strconv"
	"strings"
)

// Repeat is the command line that runs one scenario again as it was run here: short,
// where the run's folder has the rest. With an empty ID it is all that repeats the whole
// run, also without the folder.
func (r Run) Repeat(id string) string {
	if id == "" || r.Folder == "" {
		return shellLine(r.RepeatArgv(id))
	}
	return shellLine([]string{r.program(), "repeat", r.Folder, id})
}

// Resume is the command line that completes the run where it was cut.
func (r Run) Resume() string {
	words := []string{r.program()}
	if len(r.Info.Argv) > 1 {
		words = append(words, r.Info.Argv[1])
	}
	return shellLine(append(words, "--resume", r.Folder))
}

// program is how reapcheck was called.
func (r Run) program() string {
	if len(r.Info.Argv) == 0 {
		return "reapcheck"
	}
	return r.Info.Argv[0]
}

// RepeatArgv are the words that run one scenario again as it was run here: with its
// seed, its tier, the factor and the runtime that were chosen. With an empty ID they
// repeat the whole run.
func (r Run) RepeatArgv(id string) []string {
	argv := slices.Clone(r.Info.Argv)
	var rest []string // what follows -- is the target's
	if at := slices.Index(argv, "--"); at >= 0 {
		argv, rest = slices.Clip(argv[:at]), argv[at:]
	}
	for i, arg := range argv {
		if arg == "--runtime=auto" && r.Info.Runtime != "" {
			argv[i] = "--runtime=" + r.Info.Runtime
		}
	}
	argv = slices.DeleteFunc(argv, resumes)
	if id != "" {
		argv = append(slices.DeleteFunc(argv, selects), "--only="+id)
		argv = append(argv, r.factor(argv)...)
	}
	return append(argv, rest...)
}

// factor is the flag for the factor that was measured; none where one was given, and for
// runs that measure anew whatever they are told.
func (r Run) factor(argv []string) []string {
	given := slices.ContainsFunc(argv, func(arg string) bool {
		return strings.HasPrefix(arg, "--factor=")
	})
	if given || r.Info.Factor <= 0 || r.Info.Factor > 1 {
		return nil
	}
	return []string{"--factor=" + strconv.FormatFloat(r.Info.Factor, 'g', -1, 64)}
}

// selects says whether a flag decides what is judged: one scenario that is
// repeated is judged without its waiver, and as a whole.
func selects(arg string) bool {
	for _, flag := range []string{"--only=", "--skip=", "--waivers=", "--shard="} {
		if strings.HasPrefix(arg, flag) {
			return true
		}
	}
	return false
}

// resumes says whether a flag is about a run that there was.
func resumes(arg string) bool { return strings.HasPrefix(arg, "--resume=") }

// shellLine quotes for a POSIX shell what needs it.
func shellLine(argv []string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = shellWord(arg)
	}
	return strings.Join(quoted, " ")
}

func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

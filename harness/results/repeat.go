package results

import (
	"slices"
	"strings"
)

// Repeat is the command line that runs one scenario again as it was run here:
// with its seed, its tier and the runtime that was chosen. With an empty ID it
// repeats the whole run.
func (r Run) Repeat(id string) string {
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
	}
	return shellLine(append(argv, rest...))
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

package scenarios

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A child has what its parent had, and exec leaves most of it as it is
// (execve(2), "attributes"): standard input, files without close-on-exec, ignored
// and blocked signals, umask, limits, the process group. What a daemon chose for
// itself its commands get too, unless someone undoes it in between. yes | head
// then never ends, cat waits for ever, and kill 0 reaches the daemon.
//
// PID 1 has a standard input that holds a line and never ends (sandbox.OwnInput):
// beside an empty one inheritance would not show. What a shell of this machine gets
// from the harness is what a sandbox's must get; in a container, which has limits and
// a umask of its own, what the reference daemon's commands get in theirs. A user's image
// may give its daemon something special on purpose: there no such thing is asked for.
var _ = should("inherits", "what a command inherits",
	"is what a shell gets, and the daemon's own where a naive one hands it on",
	func(s *session.Session) session.Experiment {
		usual, ask := usualShell(s)
		looks := func() []look { return inheritance(usual, s.WaitPath != session.Fallback) }
		kinds := len(looks()) // which does not depend on the answers
		d := s.Candidate.Dialect
		before := usesAll(d)
		arm := session.Arm{
			Trials:   len(before) + s.Scale.Trials(each(kinds, 2, 3, 20)),
			InFlight: 6,
			Commands: inherits(before, looks, usual, d.TimesOut()),
			Deadline: waitsLimit,
		}
		baseline := naive(arm, "inheriting", trial.Symptom(trial.Wrong))
		baseline.Trials, baseline.Deadline = kinds, waitsLimit/10
		baseline.Commands = inherits(nil, looks, usual, false)
		return session.Experiment{SideBySide: true, Prepare: ask,
			Arms: []session.Arm{baseline, candidate(arm)}}
	})

// waitsLimit is for commands that wait for nothing, but for an input that does not
// end.
const waitsLimit = 5 * time.Second

// look is a piece of shell that leaves in $found what it should not have.
type look struct{ kind, script string }

// usesAll are commands that are asked for all that there is, or do not end by themselves. What
// a daemon sets for one, and does not set back, the next ones have: of a thread (setpriority(2),
// pthread_sigmask(3)) those that the thread starts. What they come to is others' subject.
func usesAll(d dialect.Dialect) []load.Command {
	refused := load.Command{Kind: "cannot-start", Want: trial.Want{NotRun: true}}
	refused.Script, refused.Cwd = "exit 0", "/nonexistent"
	given := load.Command{Kind: "given", Want: trial.Want{Anything: true}}
	given.Script, given.Cwd, given.Env = "pwd", "/proc", map[string]string{"REAPCHECK_GIVEN": "it"}
	all := []load.Command{refused, given}
	if d.SaysInput() {
		for _, script := range []string{"cat >/dev/null", "exec <&-; sleep 0.1"} {
			fed := load.Command{Kind: "fed", Want: trial.Want{Anything: true}}
			fed.Script, fed.Stdin = script, &longInput
			all = append(all, fed)
		}
	}
	if d.HangsUp() {
		left := load.Command{Kind: "hangs-up", Want: trial.Want{HangUp: true}}
		left.Script, left.HangUpAfter = "sleep 1000; :", overtimeLimit/5
		all = append(all, left)
	}
	if d.TimesOut() {
		late := load.Command{Kind: "times-out", Want: trial.Want{Timeout: true}}
		late.Script, late.Timeout = "sleep 1000; :", overtimeLimit/5
		all = append(all, late, late, late)
	}
	return all
}

// inheritance is what is looked at, beside what a usual shell has; nil where that is not known.
func inheritance(usual *shell, noLauncher bool) []look {
	looks := []look{
		{"input-line", "read -r found"},
		{"input-end", "found=$(cat)"},
		{"input-there", "[ -e /proc/self/fd/0 ] || found='no input at all'"},
		{"files", looksAtFiles},
		{"files-in-folder", looksAtFiles},
		{"group", `read -r own </proc/$$/stat; read -r its </proc/1/stat; ` +
			`set -- ${own##*) }; own=$3; set -- ${its##*) }; [ "$own" != "$3" ] || found="group $own"`},
		{"memory", `read -r own </proc/$$/oom_score_adj; read -r its </proc/1/oom_score_adj; ` +
			`[ "$own" -ge "$its" ] || found="$own, and the daemon $its"`},
		// Whose a file or a message queue is. A daemon that is given another user's has reasons.
		{"groups", asksOwn("Uid", "user") + "; " + asksOwn("Groups", "own") + "; " +
			asksStatus("1", "Uid", "whose") + "; " + asksStatus("1", "Groups", "its") +
			`; [ "$whose" != "$user" ] || [ "$its" = "$own" ] || found="$own, and the daemon $its"`},
		{"namespaces", `for n in /proc/1/ns/*; do its=$(readlink $n) || continue; ` +
			`own=$(readlink /proc/$$/ns/${n##*/}); [ "$own" = "$its" ] || found="$found $own"; done ` +
			`2>/dev/null`},
		// A second command, whose files are open while the others start.
		{"files-meanwhile", "sleep 0.1"},
	}
	signals := noSignals
	if usual != nil {
		signals = usual.ignored
		looks = append(looks,
			look{"umask", unlike("$(umask)", usual.umask)},
			look{"limits", fmt.Sprintf(`limits=$(cat %s); [ -z "$limits" ] || %s`, ownLimits,
				"{ "+unlike("$limits", usual.limits)+"; }")},
			look{"priority", asksPriority + "; " + unlike("$nice", usual.nice)},
			look{"processors", asksProcessors + `; [ -z "$cpus" ] || { ` + unlike("$cpus", usual.cpus) + "; }"},
			look{"scheduling", asksScheduling + "; " + unlike("$policy", usual.policy)},
			look{"others", asksOthers + "; " + unlike("$others", usual.others)})
		if noLauncher { // which sets it itself
			looks = append(looks, look{"privileges",
				asksPrivileges + `; [ -z "$none" ] || { ` + unlike("$none", usual.privileges) + "; }"})
		}
		for range 4 { // a thread's is one command's in so many
			looks = append(looks, look{"priority", asksPriority + "; " + unlike("$nice", usual.nice)},
				look{"signals-blocked", asksBlocked + "; " + unlike("$blocked", noSignals)})
		}
	}
	// What this shell ignores because of whoever started it, such as nohup(1), a daemon may set
	// back for its commands.
	more := fmt.Sprintf("$(printf %%016x $((0x$ignored & ~0x%s)))", signals)
	return append(looks, look{"signals", fmt.Sprintf(`%s; [ -z "$blocked" ] || { %s; %s; }`,
		asksSignals, unlike(more, noSignals), unlike("$blocked", noSignals))})
}

const looksAtFiles = `for f in /proc/$$/fd/*; do case ${f##*/} in [012]) ;; ` +
	`*) [ ! -e "$f" ] || found="$found $f";; esac; done`

const noSignals = "0000000000000000"

// asksSignals are those of a program that the shell starts: bash ignores SIGQUIT itself. Of
// 32 and 33, which no program can use, glibc's posix_spawn(3) leaves children what it likes
// (its SIGCANCEL and SIGSETXID).
const asksSignals = `v=$(cat /proc/self/status); v=${v#*SigBlk:?}; blocked=${v%%[!0-9a-f]*}; ` +
	`v=${v#*SigIgn:?}; ignored=${v%%[!0-9a-f]*}; ` +
	`ignored=$(printf %016x $((0x$ignored & ~0x180000000)))`

// asksPriority is the nice value (proc_pid_stat(5)), asksProcessors are those on which a
// program may run, where the kernel says so (proc_pid_status(5)).
const (
	asksPriority   = `read -r v </proc/$$/stat; set -- ${v##*) }; nice=${17}`
	asksProcessors = `v=$(cat /proc/self/status); cpus=; case $v in *Cpus_allowed:*) ` +
		`v=${v#*Cpus_allowed:?}; cpus=${v%%[!0-9a-f,]*};; esac`
)

// asksScheduling is the policy (sched(7)).
const asksScheduling = `read -r v </proc/$$/stat; set -- ${v##*) }; policy=${39}`

// asksOthers is what else prctl(2), personality(2) and capabilities(7) say that a child has
// of its parent.
const asksOthers = `others=$(echo $(cat /proc/self/timerslack_ns /proc/self/coredump_filter ` +
	`/proc/self/personality 2>/dev/null)); while read -r k v; do case $k in ` +
	`THP_enabled:|CapInh:|CapAmb:) others="$others $v";; esac; done </proc/$$/status; ` +
	`others="$others $(ionice -p $$ 2>/dev/null)"` // ioprio_set(2), where util-linux is there

// asksBlocked are the signals that the shell itself blocks, and asksPrivileges whether a
// program can get none that it has not (PR_SET_NO_NEW_PRIVS), which ends sudo.
var (
	asksBlocked    = asksOwn("SigBlk", "blocked")
	asksPrivileges = asksOwn("NoNewPrivs", "none")
)

// asksOwn leaves in a word what the shell's own status says.
func asksOwn(label, word string) string { return asksStatus("$$", label, word) }

// asksStatus is so for any process, which is cheap to ask for; the word is empty where the
// kernel does not say that.
func asksStatus(pid, label, word string) string {
	return fmt.Sprintf(`%s=; while read -r k v; do case $k in %s:) %[1]s=$v; break;; esac; `+
		`done </proc/%[3]s/status`, word, label, pid)
}

// ownLimits are soft and hard, in the same words whichever shell asks.
const ownLimits = "/proc/self/limits"

// unlike finds what a word of the shell is, unless it is that.
func unlike(word, want string) string {
	return fmt.Sprintf(`[ "%s" = "%s" ] || found="$found %s instead of %s"`, word, want, word, want)
}

// shell is what a shell has that no one has given anything special.
type shell struct{ umask, ignored, nice, cpus, policy, privileges, others, limits string }

// usualShell is known once ask has found it out: on this machine from a shell that the
// harness starts, elsewhere from one of the reference daemon's. It is nil where neither is
// like the candidate's, and ask with it.
func usualShell(s *session.Session) (usual *shell, ask func(context.Context) error) {
	if s.Runtime.Name() != "namespace" && (s.Candidate.Image != "" || s.Candidate.URL != "") {
		return nil, nil
	}
	usual = &shell{}
	return usual, func(ctx context.Context) (err error) {
		var says []byte
		if s.Runtime.Name() == "namespace" {
			says, err = exec.CommandContext(ctx, "/bin/sh", "-c", asksAll).Output()
		} else {
			says, err = s.Sample(ctx, asksAll)
		}
		*usual = parseShell(string(says))
		return err
	}
}

var asksAll = "umask; " + asksSignals + "; echo $ignored; " + asksPriority + "; echo $nice; " +
	asksProcessors + "; echo $cpus; " + asksScheduling + "; echo $policy; " + asksPrivileges +
	"; echo $none; " + asksOthers + `; echo "$others"; cat ` + ownLimits

// parseShell reads what asksAll has written. What is not there matches nothing.
func parseShell(says string) shell {
	lines := append(strings.SplitN(says, "\n", 8), "?", "?", "?", "?", "?", "?", "?", "?")
	return shell{umask: lines[0], ignored: lines[1],
		nice: lines[2], cpus: lines[3], policy: lines[4], privileges: lines[5],
		others: lines[6], limits: strings.TrimSuffix(lines[7], "\n")}
}

// inherits looks, and ends by SIGPIPE where all is well: that is what a reader who
// has gone sends, and ignored by most who are not careful. Every second time a command looks a
// moment later, and has a timeout that is far away, if it can have one: for that too something may be
// set.
func inherits(before []load.Command, looks func() []look, usual *shell, limited bool) load.Source {
	looks = sync.OnceValue(looks) // at the first command, when the usual shell is known
	return func(index int, r *rand.Rand) load.Command {
		if index < len(before) {
			return before[index]
		}
		all := looks()
		turn := index - len(before)
		l := all[turn%len(all)]
		c := load.Instant(index, r)
		if turn/len(all)%2 == 1 { // once whoever sets something from outside has done so, as by prlimit(2)
			l.script = "sleep 0.05; " + l.script
			if limited {
				c.Timeout = time.Hour
			}
		}
		c = finds(c, l)
		if l.kind == "files-in-folder" { // which whoever opened it may have kept open for it
			c.Cwd = "/proc"
		}
		if l.kind == "signals" && (usual == nil || usual.ignored == noSignals) {
			end := fmt.Sprintf("exit %d", c.Want.Code)
			c.Script = strings.TrimSuffix(c.Script, end) + "kill -PIPE $$"
			c.Want.Code = 128 + int(syscall.SIGPIPE)
		}
		return c
	}
}

// finds is a command that says what it found, by another code too, since not every
// dialect has a word for output.
func finds(c load.Command, l look) load.Command {
	c.Kind = l.kind
	const form = `found=; %s; [ -z "$found" ] || { echo "found: $found"; exit %d; }; %s`
	c.Script = fmt.Sprintf(form, l.script, (c.Want.Code+1)%256, c.Script)
	return c
}

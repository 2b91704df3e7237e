package merge

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// generate leaves the shards of one plan with so many scenarios, each of them divided
// among all shards: two files for each scenario and shard.
func generate(tb testing.TB, dir string, shards, scenarios, trials int) (files, lines int) {
	tb.Helper()
	var planned []results.PlannedScenario
	for i := range scenarios {
		planned = append(planned, results.PlannedScenario{
			Scenario: trial.Scenario{ID: fmt.Sprintf("s%03d", i), Text: "is large"}, Parts: shards,
		})
	}
	m := made{dir: dir, of: shards, trials: trials}
	for number := 1; number <= shards; number++ {
		info := m.info(number)
		info.Shard.Scenarios, info.Scenarios = planned, nil
		for _, s := range planned {
			info.Scenarios = append(info.Scenarios, s.Scenario)
		}
		info.Shard.Plan = info.PlanID()
		if err := os.Mkdir(m.folder(number), 0o755); err != nil {
			tb.Fatal(err)
		}
		writeInfo(tb, m.folder(number), info)
		for _, hand := range info.Shard.Hands() {
			if err := os.Mkdir(filepath.Join(m.folder(number), hand.ID), 0o755); err != nil {
				tb.Fatal(err)
			}
			share := hand.Part(number).Share(trials, 1)
			plan := trial.Plan{
				Run: info.Run, Scenario: hand.ID, Arms: []string{"baseline", "candidate"},
				InFlight: 8,
				Trials:   share.Count, First: share.First, Whole: trials, Seed: 7,
			}
			plan.Arm, plan.Role, plan.Claim, plan.UntilShown = "baseline", trial.Baseline,
				trial.Loses, true
			lines += recordFast(tb, m.folder(number), plan, 1, "lost")
			plan.Arm, plan.Role, plan.Claim = "candidate", trial.Candidate, trial.Clean
			plan.UntilShown = false
			lines += recordFast(tb, m.folder(number), plan, share.Count, "ok")
			files += 2
		}
	}
	return files, lines
}

// recordFast writes what a Recorder would, a hundred times as fast.
func recordFast(tb testing.TB, folder string, plan trial.Plan, trials int, outcome string) int {
	tb.Helper()
	file, err := os.Create(results.Recording(folder, plan.Scenario, plan.Arm))
	if err != nil {
		tb.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<16)
	put := func(line trial.Line) {
		raw, err := json.Marshal(line)
		if err != nil {
			tb.Fatal(err)
		}
		out.Write(append(raw, '\n'))
	}
	put(trial.Line{Plan: &plan})
	var text []byte
	for i := plan.First; i < plan.First+trials; i++ {
		text = fmt.Appendf(text[:0],
			`{"trial":{"i":%d,"kind":"instant","want":%d,"got":%d,"outcome":"%s","atUs":%d,"us":%d}}`+"\n",
			i, i%256, i%256, outcome, 900*i, 800+i%997)
		out.Write(text)
	}
	put(trial.Line{Check: &trial.Check{Name: "target", Want: "running", Got: "running", OK: true}})
	put(trial.Line{End: &trial.End{Checks: 1, StartMicros: 900, ShownBy: &plan.First}})
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := file.Close(); err != nil {
		tb.Fatal(err)
	}
	return trials + 3
}

// What a merge needs must not grow with the recordings. The heap is looked at, since the
// whole of a process is the benchmark's to measure.
func TestMergeNeedsNoMoreMemoryForMoreTrials(t *testing.T) {
	live := func(trials int) uint64 {
		dir := t.TempDir()
		generate(t, dir, 10, 3, trials)
		var stats runtime.MemStats
		run := merged(t, dir)
		if run.Verdict != trial.Pass {
			t.Fatalf("verdict %v, problem %q", run.Verdict, run.Info.Problem)
		}
		runtime.GC()
		runtime.ReadMemStats(&stats)
		runtime.KeepAlive(run)
		return stats.HeapAlloc
	}
	few, many := live(20_000), live(200_000)
	if most := few + 1<<19; many > most {
		t.Errorf("after 10 times the trials %d bytes are in use, and %d before", many, few)
	}
}

// BenchmarkMerge is of REAPCHECK_MERGE_LINES lines in 10,000 files: a million unless
// told otherwise, and ten million is what docs/scale.md tells of.
func BenchmarkMerge(b *testing.B) {
	lines, err := strconv.Atoi(os.Getenv("REAPCHECK_MERGE_LINES"))
	if err != nil {
		lines = 1_000_000
	}
	dir := b.TempDir()
	const shards, scenarios = 100, 50
	files, lines := generate(b, dir, shards, scenarios, lines/scenarios)
	runtime.GC()
	var took time.Duration
	for b.Loop() {
		began := cpuTime(b)
		if run := merged(b, dir); run.Verdict != trial.Pass {
			b.Fatalf("verdict %v, problem %q", run.Verdict, run.Info.Problem)
		}
		took += cpuTime(b) - began
	}
	b.ReportMetric(float64(files), "files")
	b.ReportMetric(float64(lines), "lines")
	b.ReportMetric(float64(lines)*float64(b.N)/took.Seconds(), "lines/CPU-s")
	b.ReportMetric(float64(peak(b))/(1<<20), "MiB")
}

// cpuTime is what this process has used, whatever else the machine does meanwhile.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peak is the most memory that this process has had (proc_pid_status(5)).
func peak(tb testing.TB) (bytes int64) {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc to tell the peak: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); err == nil {
			return bytes << 10
		}
	}
	tb.Fatal("/proc/self/status has no VmHWM")
	return 0
}

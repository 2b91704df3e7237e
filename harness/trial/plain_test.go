package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPlainRecordReadsAsJSONDoes(t *testing.T) {
	code := 17
	long := Record{
		Index: 9_999_999, Kind: "output-1MiB", Want: 255, Got: &code, Outcome: OK,
		AtMicros: 1 << 50, Micros: 1 << 40,
	}
	for _, r := range []Record{{Outcome: OK}, {Outcome: OK, Kind: "a b"}, long} {
		raw, err := json.Marshal(Line{Record: &r})
		if err != nil {
			t.Fatal(err)
		}
		got, ok := plainRecord(raw)
		if !ok || !reflect.DeepEqual(got, r) {
			t.Errorf("%s reads as %+v, %v", raw, got, ok)
		}
	}
}

func TestPlainRecordLeavesTheRestToJSON(t *testing.T) {
	const line = `{"trial":{"i":5,"kind":"instant","want":3,"got":3,"outcome":"ok","atUs":7,"us":9}}`
	if _, ok := plainRecord([]byte(line)); !ok {
		t.Fatal("the line itself is not plain")
	}
	for _, change := range [][2]string{
		{`"i":5`, `"i":-5`}, {`"i":5`, `"i":05`}, {`"i":5`, `"i":1234567890123456789`},
		{`"i":5`, `"i":5.0`}, {`"i":5`, `"i": 5`}, {`"i":5`, `"i":`}, {`"ok"`, `"lost"`},
		{"instant", `in\u0073tant`}, {"instant", "inst\x01ant"}, {"instant", "instänt"},
		{"}}", "}} "}, {"}}", "}"}, {"}}", `},"end":{}}`}, {`,"us":9`, ""}, {line, ""},
		{`,"us":9`, `,"us":9,"sent":"2026-01-02T03:04:05Z"`},
	} {
		changed := strings.Replace(line, change[0], change[1], 1)
		if r, ok := plainRecord([]byte(changed)); ok {
			t.Errorf("%s is taken for a plain line: %+v", changed, r)
		}
	}
}

func TestReadCountsAPart(t *testing.T) {
	plan := Plan{Arm: "candidate", Trials: 10, First: 20, Whole: 30, Spare: 2}
	for index, planned := range map[int]bool{
		19: false, 20: true, 29: true, 30: false, 49: false, 50: true, 51: true, 52: false,
		-1: false,
	} {
		s := read(t, Line{Plan: &plan}, Line{Record: &Record{Index: index, Outcome: OK}})
		if (s.Damage == "") != planned {
			t.Errorf("trial %d of 20 to 29 and the spare 50 and 51: damage %q", index, s.Damage)
		}
		if spare := planned && index >= 30; (s.spare == 1) != spare {
			t.Errorf("trial %d counts as %d spare ones", index, s.spare)
		}
	}
}

func TestReadKeepsSomeOfManyTimes(t *testing.T) {
	const n = 5 * MostTimes
	s := newSummary()
	s.Plan.Trials = n
	for i, micros := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		s.addRecord(Record{Index: i, Outcome: OK, Micros: int64(micros)})
	}
	if s.Damage != "" || s.Trials != n {
		t.Fatalf("%d trials, damage %q", s.Trials, s.Damage)
	}
	if len(s.Micros) > MostTimes || len(s.Micros) < MostTimes/2 {
		t.Errorf("kept %d times, want %d to %d", len(s.Micros), MostTimes/2, MostTimes)
	}
	var sum float64
	for _, micros := range s.Micros {
		sum += float64(micros)
	}
	if mean := sum / float64(len(s.Micros)); mean < 0.49*n || mean > 0.51*n {
		t.Errorf("their mean is %.0f, want about %d", mean, n/2)
	}
}

func read(t *testing.T, lines ...Line) Summary {
	t.Helper()
	var text bytes.Buffer
	for _, line := range lines {
		raw, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(raw, '\n'))
	}
	s, err := Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkRead(b *testing.B) {
	const lines = 200_000
	text := []byte(fmt.Sprintf(`{"plan":{"arm":"candidate","trials":%d}}`+"\n", lines))
	for i := range lines {
		text = fmt.Appendf(text,
			`{"trial":{"i":%d,"kind":"instant","want":17,"got":17,"outcome":"ok","atUs":%d,"us":%d}}`+"\n",
			i, 1000*i, 900+i%700)
	}
	began := time.Now()
	for b.Loop() {
		if s, err := Read(bytes.NewReader(text)); err != nil || s.Trials != lines ||
			s.Damage != "" {
			b.Fatalf("%d trials, damage %q, error %v", s.Trials, s.Damage, err)
		}
	}
	b.ReportMetric(float64(b.N*lines)/time.Since(began).Seconds(), "lines/s")
}

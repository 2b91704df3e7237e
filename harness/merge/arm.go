package merge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// recording is one shard's part of an arm.
type recording struct {
	attempt
	part          shard.Place
	scenario, arm string
}

func (r recording) path() string { return results.Recording(r.folder, r.scenario, r.arm) }

func (r recording) String() string {
	return fmt.Sprintf("shard %d, %s/%s", r.number, r.scenario, r.arm)
}

// piece is a recording of which the first and the last line are known.
type piece struct {
	recording
	plan trial.Plan
	end  *trial.End // nil where it was cut
}

// writeArm makes one recording of the parts of an arm.
func (p *Plan) writeArm(folder string, hand shard.Hand, parts []recording) error {
	var pieces []piece
	for _, r := range parts {
		piece, err := read(r)
		if err == nil && len(pieces) > 0 && !sameArm(piece, pieces[0]) {
			err = errors.New("its plan is not that of the other shards")
		}
		if err != nil {
			p.problem("%v is damaged: %v", r, err)
			continue
		}
		pieces = append(pieces, piece)
	}
	if len(pieces) == 0 {
		return nil
	}
	file, err := os.Create(results.Recording(folder, hand.ID, pieces[0].arm))
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	out := bufio.NewWriterSize(file, 1<<18)
	err = p.join(out, filepath.Base(folder), hand, pieces)
	if err = errors.Join(err, out.Flush(), file.Close()); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return copyArtefacts(folder, pieces)
}

func sameArm(a, b piece) bool { return reflect.DeepEqual(shared(a.plan), shared(b.plan)) }

// shared is what the plans of all parts of an arm have in common.
func shared(plan trial.Plan) trial.Plan {
	plan.Run, plan.First, plan.Trials, plan.AtLeast, plan.Spare, plan.MinHits = "", 0, 0, 0, 0, 0
	return plan
}

// join writes the plan of the whole arm, the lines of all pieces, and their common end.
func (p *Plan) join(out *bufio.Writer, run string, hand shard.Hand, pieces []piece) error {
	plan := wholePlan(pieces)
	plan.Run = run
	if err := writeLine(out, trial.Line{Plan: &plan}); err != nil {
		return err
	}
	end := newEnd(len(pieces) == len(hand.Shards))
	for _, piece := range pieces {
		if why := piece.spoilt(); why != "" {
			end.spoil(piece, why)
			continue
		}
		if err := p.copyLines(out, piece); err != nil {
			return err
		}
		end.add(piece, p.unshown(piece))
	}
	if !end.whole {
		return nil
	}
	return writeLine(out, trial.Line{End: &end.End})
}

// wholePlan adds up the plans of all parts.
func wholePlan(pieces []piece) trial.Plan {
	plan := pieces[0].plan
	plan.AtLeast, plan.Spare, plan.MinHits = 0, 0, 0
	for _, piece := range pieces {
		plan.AtLeast += piece.plan.AtLeast
		plan.Spare += piece.plan.Spare
		plan.MinHits += piece.plan.MinHits
	}
	if plan.Whole > 0 {
		plan.Trials = plan.Whole
		if plan.Spare > 0 {
			plan.Spare = plan.Whole // an index of a missing part must not become unplanned
		}
	}
	plan.First, plan.Whole = 0, 0
	return plan
}

// spoilt says why a piece counts for nothing, whatever was answered: as it would be in
// a whole run, and without taking the others with it.
func (c piece) spoilt() string {
	if c.end == nil || c.part.Of <= 1 {
		return "" // what it comes to is for the judge
	}
	if c.end.Void != "" {
		return c.end.Void
	}
	return c.end.FaultNote
}

// wholeEnd is the end of a whole arm.
type wholeEnd struct {
	trial.End
	whole bool // nothing of it is missing
	shown bool // every part has shown
}

func newEnd(whole bool) wholeEnd { return wholeEnd{whole: whole, shown: true} }

// spoil notes a piece that was left out.
func (e *wholeEnd) spoil(c piece, why string) {
	e.shown = false
	e.fail(c, why)
}

func (e *wholeEnd) fail(c piece, why string) {
	if e.Error == "" && why != "" {
		e.Error = fmt.Sprintf("shard %d: %s", c.number, why)
	}
}

// add takes in the end of one piece. Each machine's own baseline must have shown that a
// bad candidate would have been seen there.
func (e *wholeEnd) add(c piece, unshown string) {
	if c.end == nil {
		e.whole = false
		return
	}
	if c.part.Of <= 1 {
		e.End = *c.end
		return
	}
	e.Checks += c.end.Checks
	e.FaultHits += c.end.FaultHits
	e.StartMicros = max(e.StartMicros, c.end.StartMicros)
	if c.end.ShownBy == nil {
		e.shown = false
	}
	if e.shown && e.ShownBy == nil {
		e.ShownBy = c.end.ShownBy
	}
	if !e.shown {
		e.ShownBy = nil
	}
	if e.Stopped == "" && c.end.Stopped != "" {
		e.Stopped = fmt.Sprintf("shard %d: %s", c.number, c.end.Stopped)
	}
	e.fail(c, c.end.Error)
	e.fail(c, unshown)
}

// unshown says why a piece does not do its share: a baseline that did not misbehave on
// its own machine, or a fault that missed there.
func (p *Plan) unshown(c piece) string {
	if c.part.Of <= 1 || c.end == nil {
		return ""
	}
	if c.plan.Fault != "" && c.end.FaultHits < max(1, c.plan.MinHits) {
		return fmt.Sprintf("fault %s hit %d times, at least %d needed", c.plan.Fault,
			c.end.FaultHits,
			max(1, c.plan.MinHits))
	}
	if c.plan.Role != trial.Baseline {
		return ""
	}
	file, err := os.Open(c.path())
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	summary, err := trial.Read(file)
	if err != nil {
		return err.Error()
	}
	if verdict, why := summary.Judge(); verdict != trial.Pass {
		return why
	}
	return ""
}

// maxLine bounds one line of a recording, as it does where it is judged.
const maxLine = 1 << 20

// read takes the plan and the end of a recording.
func read(r recording) (piece, error) {
	c := piece{recording: r}
	file, err := results.OpenFile(r.path())
	if err != nil {
		return c, err
	}
	defer file.Close()
	first, err := bufio.NewReaderSize(file, 4<<10).ReadBytes('\n')
	var line trial.Line
	if err == nil {
		err = json.Unmarshal(first, &line)
	}
	if err != nil || line.Plan == nil {
		return c, errors.New("it does not begin with a plan")
	}
	c.plan = *line.Plan
	if err := c.belongs(); err != nil {
		return c, err
	}
	c.end, err = lastLine(file)
	return c, err
}

// belongs says whether the plan is that of this shard's part.
func (c piece) belongs() error {
	if c.plan.Run != c.about.Run || c.plan.Scenario != c.scenario || c.plan.Arm != c.arm {
		return fmt.Errorf("it is the recording of %s/%s in %q", c.plan.Scenario, c.plan.Arm,
			c.plan.Run)
	}
	divided := c.part.Of > 1
	if divided != (c.plan.Whole > 0) || !divided && c.plan.First != 0 {
		return fmt.Errorf("it is not part %v of its arm", c.part)
	}
	return nil
}

// lastLine is the end of a recording; nil where it has none.
func lastLine(file *os.File) (*trial.End, error) {
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	for _, most := range []int64{4 << 10, 2 * maxLine} { // an end is short, as a rule
		from := max(0, about.Size()-most)
		tail, err := io.ReadAll(io.NewSectionReader(file, from, about.Size()-from))
		if err != nil {
			return nil, err
		}
		tail, complete := bytes.CutSuffix(tail, []byte("\n"))
		tail = tail[bytes.LastIndexByte(tail, '\n')+1:]
		var line trial.Line
		if complete && json.Unmarshal(tail, &line) == nil {
			return line.End, nil
		}
	}
	return nil, nil
}

// copyLines copies what stands between the plan and the end.
func (p *Plan) copyLines(out *bufio.Writer, c piece) error {
	file, err := os.Open(c.path())
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	ended := false
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		isEnd := bytes.HasPrefix(line, []byte(`{"end":`))
		switch {
		case n == 1:
			continue
		case ended:
			p.problem("%v is damaged: line %d follows the end", c, n)
			return nil
		case isEnd:
			ended = true
			continue
		}
		out.Write(line) // its error is Flush's too
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		p.problem("%v is damaged: %v", c, err)
	}
	return nil
}

func writeLine(out *bufio.Writer, line trial.Line) error {
	raw, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = out.Write(append(raw, '\n'))
	return err
}

// copyArtefacts keeps as many of an arm's as a report shows.
func copyArtefacts(folder string, pieces []piece) error {
	kept := 0
	for _, c := range pieces {
		if c.spoilt() != "" {
			continue
		}
		all, err := results.Artefacts(c.folder, c.scenario, c.arm)
		if err != nil {
			return err
		}
		for _, a := range all {
			if kept == trial.KeptBad {
				return nil
			}
			kept++
			from := filepath.Join(c.folder, filepath.FromSlash(a.Path))
			to := filepath.Join(folder, filepath.FromSlash(a.Path))
			if err := copyFile(from, to); err != nil {
				return fmt.Errorf("merge: %w", err)
			}
		}
	}
	return nil
}

// copyFile copies a file up to a limit far above what a run keeps.
func copyFile(from, to string) error {
	const limit = 4 << 20
	in, err := results.OpenFile(from)
	if err != nil {
		return err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, limit))
	if err != nil {
		return err
	}
	return results.Replace(to, text)
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// daemon is a running target and how it is asked.
type daemon struct {
	sandbox.Sandbox
	client  speaker.Speaker
	dialect dialect.Dialect
	seed    uint64
	// ours says whether it is the reference daemon, which tells more of itself.
	ours bool
	// own are the processes that it consists of.
	own probe.Snapshot
}

// start starts a daemon with room for as many connections as requests will be
// in flight. An empty front is none.
func (b *Bench) start(ctx context.Context, name string, t target.Target, inFlight int,
	front sandbox.Front) (*daemon, error) {
	spec := speaker.Spec(t, name, map[target.Build]string{target.Ordinary: b.Daemon})
	spec.Front = front
	sb, err := b.Runtime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	client, err := speaker.Open(ctx, t, sb, inFlight)
	if err != nil {
		return nil, errors.Join(err, sb.Stop(context.WithoutCancel(ctx)))
	}
	d := &daemon{Sandbox: sb, client: client, dialect: t.Dialect, seed: b.Seed, ours: t.Ours()}
	if err := d.findOwn(); err != nil {
		return nil, errors.Join(err, d.stop(ctx))
	}
	return d, nil
}

// findOwn takes whatever runs before the first command for the daemon itself: an init
// in front of it, or its workers.
func (d *daemon) findOwn() (err error) {
	d.own, err = probe.Look(d.PID())
	return err
}

// stopLimit bounds the end of one daemon, which comes also after an interrupt.
const stopLimit = 30 * time.Second

func (d *daemon) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return errors.Join(d.client.Close(), d.Stop(ctx))
}

// ended says how the daemon ended, if it has.
func (d *daemon) ended() error {
	select {
	case <-d.Done():
		return fmt.Errorf("%s ended: %s", d.Name(), d.Ended())
	default:
		return nil
	}
}

// survive says how the daemon ended, if it did: what went wrong is then a result
// of the measurement and no error. One whose engine is lost has not ended by itself.
func (d *daemon) survive(ctx context.Context, err error) (died string, _ error) {
	if lost := sandbox.Lost(d.Sandbox); lost != nil {
		return "", errors.Join(err, lost)
	}
	if ended := d.ended(); ended != nil && ctx.Err() == nil {
		return ended.Error(), nil
	}
	return "", err
}

// get reads a JSON answer of the daemon's own, on a connection that does not
// stay.
func (d *daemon) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	transport := sandbox.Transport(d.Sandbox)
	transport.DisableKeepAlives = true
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL()+path, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return errors.Join(fmt.Errorf("get %s of %s: %w", path, d.Name(), err), d.ended())
	}
	defer resp.Body.Close()
	return decode(resp, into)
}

func decode(resp *http.Response, into any) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d: %s", resp.StatusCode, raw)
	}
	return json.Unmarshal(raw, into)
}

// Figures is what a daemon holds at one moment: all the processes that it had before
// the first command.
type Figures struct {
	Threads int `json:"threads"`
	// RSS is in bytes.
	RSS   int `json:"rss"`
	Files int `json:"files"`
	// Goroutines, Registered and Cached are the reference daemon's own word, and 0 of
	// any other. Cached are exit statuses that no one has asked for yet.
	Goroutines int `json:"goroutines"`
	Registered int `json:"registered"`
	Cached     int `json:"cached"`
	// Processes are those beside the daemon, and Zombies those among them that
	// have ended.
	Processes int `json:"processes"`
	Zombies   int `json:"zombies"`
}

// told is what /debug/processes tells.
type told struct {
	InFlight   int `json:"inFlight"`
	Registered int `json:"registered"`
	Cached     int `json:"cached"`
	Goroutines int `json:"goroutines"`
}

const debugPath = "/debug/processes"

// look asks the daemon and the kernel. It is a connection, a file and a few
// goroutines more than when no one looks, each time.
func (d *daemon) look(ctx context.Context) (Figures, error) {
	var t told
	if d.ours {
		if err := d.get(ctx, debugPath, &t); err != nil {
			return Figures{}, err
		}
	}
	all, err := probe.Look(d.PID())
	if err != nil {
		return Figures{}, errors.Join(err, d.ended())
	}
	f := Figures{
		Goroutines: t.Goroutines, Registered: t.Registered, Cached: t.Cached,
		Processes: len(all), Zombies: len(all.Zombies()),
	}
	for _, p := range all {
		if d.own.Has(p.PID) {
			f.Threads, f.RSS, f.Files = f.Threads+p.Threads, f.RSS+p.RSS, f.Files+p.Files
			f.Processes--
		}
	}
	return f, nil
}

// settleLimit is how long a daemon may take to come to rest after the last
// answer.
const settleLimit = 5 * time.Second

// settle looks until enough says that it may stop, or time is up, and returns
// what it saw last. An interrupt is an error: the daemon was not given its time.
func (d *daemon) settle(ctx context.Context, enough func(Figures) bool) (last Figures, err error) {
	err = await.Wait{
		For:   "a daemon at rest",
		Every: settleLimit / 20,
		Limit: settleLimit,
	}.Until(ctx, func() (any, bool, error) {
		last, err = d.look(ctx)
		return last, err == nil && enough(last), err
	})
	if errors.Is(err, await.ErrLimit) {
		return last, nil
	}
	return last, err
}

// rest closes the connections and looks when nothing changes any more.
func (d *daemon) rest(ctx context.Context) (Figures, error) {
	d.client.Idle()
	last := Figures{}
	return d.settle(ctx, func(f Figures) bool {
		still := f.Files == last.Files && f.Goroutines == last.Goroutines && f.Processes == 0
		last = f
		return still
	})
}

// awaitLimit bounds the wait for one step of the start.
const awaitLimit = time.Minute

// await asks again and again, with pauses, until the condition holds.
func (d *daemon) await(ctx context.Context, what string, ask await.Look) error {
	err := await.Wait{
		For:   what,
		Every: 20 * time.Millisecond,
		Limit: awaitLimit,
		Over:  d.Done(),
	}.Until(ctx, ask)
	if errors.Is(err, await.ErrOver) {
		return d.ended()
	}
	return err
}

// Outcomes counts judged answers.
type Outcomes map[trial.Outcome]int

// Bad is how many were not ok.
func (o Outcomes) Bad() int { return o.Total() - o[trial.OK] }

// Total is how many there were.
func (o Outcomes) Total() int {
	n := 0
	for _, count := range o {
		n += count
	}
	return n
}

// add counts another's outcomes too.
func (o Outcomes) add(more Outcomes) {
	for outcome, n := range more {
		o[outcome] += n
	}
}

// String names what was not ok.
func (o Outcomes) String() string {
	text := ""
	for _, outcome := range slices.Sorted(maps.Keys(o)) {
		if outcome != trial.OK {
			text += fmt.Sprintf(" %d %s", o[outcome], outcome)
		}
	}
	if text == "" {
		return "all ok"
	}
	return text[1:]
}

// deadline is that of one answer. It is far above what an instant command takes
// with hundreds in flight: one that passes it hangs.
const deadline = 30 * time.Second

// answers collects what came back. It may be used by many goroutines.
type answers struct {
	mu       sync.Mutex
	times    *hdrhistogram.Histogram // microseconds
	outcomes Outcomes
	why      string // the first bad answer
}

func newAnswers() *answers { return &answers{times: newTimes(), outcomes: Outcomes{}} }

// newTimes counts microseconds with three digits, up to twice the deadline.
func newTimes() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (2 * deadline).Microseconds(), 3)
}

func (a *answers) add(outcome trial.Outcome, why string, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcomes[outcome]++
	if outcome != trial.OK && a.why == "" {
		a.why = why
	}
	_ = a.times.RecordValue(min(took.Microseconds(), a.times.HighestTrackableValue()))
}

// execute asks for the command with that index and judges the answer. One that
// an interrupt cuts short is not counted.
func (d *daemon) execute(ctx context.Context, source load.Source, index int, limit time.Duration,
	into *answers) {
	sent := time.Now()
	if outcome, why, ok := d.ask(ctx, source, index, limit); ok {
		into.add(outcome, why, time.Since(sent))
	}
}

// ask returns false where an interrupt cut it short.
func (d *daemon) ask(ctx context.Context, source load.Source, index int,
	limit time.Duration) (outcome trial.Outcome, why string, ok bool) {
	command := source(index, load.Random(d.seed, d.Name(), index))
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := d.client.Execute(bounded, command.Request)
	if ctx.Err() != nil {
		return outcome, "", false
	}
	outcome, why = trial.Classify(d.dialect.Want(command.Want), answer)
	if outcome != trial.OK {
		why = fmt.Sprintf("%s: %q: %s", outcome, command.Script, why)
	}
	return outcome, why, true
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
)

// Figures is what a daemon holds at one moment.
type Figures struct {
	Threads int `json:"threads"`
	// RSS is in bytes.
	RSS   int `json:"rss"`
	Files int `json:"files"`
	// Goroutines, Registered and Cached are the daemon's own word. Cached are
	// exit statuses that nobody has asked for yet.
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
// goroutines more than when nobody looks, each time.
func (d *daemon) look(ctx context.Context) (Figures, error) {
	var t told
	if err := d.get(ctx, debugPath, &t); err != nil {
		return Figures{}, err
	}
	all, err := probe.Look(d.PID())
	if err != nil {
		return Figures{}, err
	}
	self := all.Target()
	return Figures{
		Threads: self.Threads, RSS: self.RSS, Files: self.Files,
		Goroutines: t.Goroutines, Registered: t.Registered, Cached: t.Cached,
		Processes: len(all) - 1, Zombies: len(all.Zombies()),
	}, nil
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

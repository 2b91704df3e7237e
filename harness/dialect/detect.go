package dialect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/parallel"
)

// Match says how far a dialect fits a target.
type Match string

const (
	// MatchFits is a dialect in which an exit code, or the word for an unknown one, came back.
	MatchFits Match = "fits"
	// MatchClosed is one whose path is there, and asks for what only the target's owner knows.
	MatchClosed Match = "closed"
	// MatchNear is one whose path is there, and answers in another way.
	MatchNear Match = "near"
	// MatchApart is one that has nothing to do with the target.
	MatchApart Match = "apart"
)

// byMatch is from the best to the worst.
var byMatch = []Match{MatchFits, MatchClosed, MatchNear, MatchApart}

// Guess is what is known of one dialect and a target.
type Guess struct {
	Dialect string `json:"dialect"`
	Match   Match  `json:"match"`
	// Why is what came back, in words.
	Why string `json:"why"`
	// FillIn are what is missing for `gate`, such as environment variables.
	FillIn []string `json:"fillIn,omitempty"`
	// Right of Asked questions were answered as they should be, where several dialects
	// fit and had to be told apart.
	Right int `json:"right,omitempty"`
	Asked int `json:"asked,omitempty"`

	exact  bool // the exit code, and the output, were those of the command
	hung   bool
	status int // of the answer
	says   int // how much it can say
}

// detectAtOnce is how many dialects are tried at a time, and mostHung how many may have no
// answer before the others are left out.
const (
	detectAtOnce = 4
	mostHung     = 4
)

// Detect tries all built-in dialects on a target, by one command each that only ends with
// exit code 7, and tells those that fit apart by the questions of Try. The best comes
// first. Open makes a speaker for a dialect.
//
// No environment variable is sent: a target that is not known must not learn the tokens
// of others.
func Detect(ctx context.Context, open func(Dialect) Speaker) ([]Guess, error) {
	all, err := builtIn()
	if err != nil {
		return nil, err
	}
	guesses := make([]Guess, len(all))
	var hung atomic.Int32
	_, err = parallel.Do(ctx, 0, len(all), detectAtOnce, func(i int) {
		if hung.Load() >= mostHung {
			guesses[i] = Guess{Dialect: all[i].Name, Match: MatchApart,
				Why: fmt.Sprintf("not asked: %d others had no answer", mostHung)}
			return
		}
		if guesses[i] = guess(ctx, all[i], open); guesses[i].hung {
			hung.Add(1)
		}
	})
	if err != nil {
		return nil, err
	}
	tellApart(ctx, all, guesses, open)
	slices.SortStableFunc(guesses, better)
	return guesses, ctx.Err()
}

func builtIn() ([]Dialect, error) {
	var all []Dialect
	for _, name := range BuiltIn() {
		d, err := Load(name)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// stranger stands for each environment variable.
const stranger = "reapcheck"

func unfilled(d Dialect) Dialect {
	filled, _ := d.Resolve(func(string) (string, bool) { return stranger, true })
	return filled
}

// harmless is the only command that a dialect is tried by at first.
func harmless() question {
	for _, q := range questions(Dialect{}) {
		if q.want.Code == 7 {
			return q
		}
	}
	panic("no question has exit code 7")
}

// guess asks once, and compares what came with what comes from a path that is not there.
func guess(ctx context.Context, known Dialect, open func(Dialect) Speaker) Guess {
	d := unfilled(known)
	g := Guess{Dialect: d.Name, Match: MatchApart, FillIn: known.Variables(), says: len(said(d))}
	e := ask(ctx, d, open(d), harmless())
	g.Why, g.hung, g.exact, g.status = clip(e.Understood), e.Hung, e.OK, e.Status
	switch {
	case e.Coded:
		g.Match = MatchFits
		return g
	case e.Hung || ctx.Err() != nil:
		g.FillIn = nil
		return g
	}
	away, path := elsewhere(d)
	there := ask(ctx, away, open(away), harmless())
	switch {
	case e.Status == 0 || e.Status == http.StatusMethodNotAllowed || sameBut(e, there, path):
	case asksWho(e.Status):
		g.Match = MatchClosed
		if len(g.FillIn) == 0 {
			g.FillIn = []string{"a header with a token, in request.headers"}
		}
	case e.Status >= http.StatusBadRequest && strings.Contains(known.steps[0].Path, "${"):
		g.Match = MatchClosed
	default:
		g.Match = MatchNear
	}
	if g.Match != MatchClosed {
		g.FillIn = nil
	}
	return g
}

// asksWho says whether a status is one of a target that wants to know who asks.
func asksWho(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// Guarded says whether a target asks whoever comes for a token, whatever the path: nothing
// can be told of its dialect without.
func Guarded(all []Guess) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(g Guess) bool { return !asksWho(g.status) })
}

// said are the fields of a request.
func said(d Dialect) []string {
	return slices.Compact(slices.Sorted(slices.Values(d.placeholders)))
}

// elsewhere is the dialect with a path that no target has, and that path.
func elsewhere(d Dialect) (Dialect, string) {
	const path = "/reapcheck-has-no-such-path"
	d.steps = slices.Clone(d.steps)
	d.steps[0].Path = path
	d.Request.Cleanup, d.Request.Kill = nil, nil
	return d, path
}

// sameBut says whether two answers differ in nothing but the path that they may name.
func sameBut(a, b Attempt, path string) bool {
	return a.Status == b.Status && strings.ReplaceAll(b.Came, path, "") ==
		strings.ReplaceAll(a.Came, a.path, "")
}

// tellApart asks in all dialects that fit, where several do. A guess is about the dialect
// at its place.
func tellApart(ctx context.Context, all []Dialect, guesses []Guess, open func(Dialect) Speaker) {
	if len(Fitted(guesses)) < 2 {
		return
	}
	for i, g := range guesses {
		if g.Match != MatchFits {
			continue
		}
		d := unfilled(all[i])
		for _, e := range Try(ctx, d, open(d)) {
			guesses[i].Asked++
			if e.OK {
				guesses[i].Right++
			}
		}
	}
}

// better orders guesses, the best first.
func better(a, b Guess) int {
	return cmp.Or(
		slices.Index(byMatch, a.Match)-slices.Index(byMatch, b.Match),
		rank(b)-rank(a),
		cmp.Compare(a.Dialect, b.Dialect),
	)
}

// rank is higher where fewer answers were wrong, and then where more can be said.
func rank(g Guess) int {
	wrong := g.Asked - g.Right
	if g.Asked == 0 && !g.exact {
		wrong = 1
	}
	return g.says - 100*wrong
}

// Fitted are the guesses that fit.
func Fitted(all []Guess) []Guess {
	return slices.DeleteFunc(slices.Clone(all), func(g Guess) bool { return g.Match != MatchFits })
}

// Best is the dialect that fits better than all others; false where none fits, or where
// two fit alike.
func Best(all []Guess) (Guess, bool) {
	fit := Fitted(all)
	switch {
	case len(fit) == 0:
		return Guess{}, false
	case len(fit) > 1 && rank(fit[0]) == rank(fit[1]):
		return fit[0], false
	}
	return fit[0], true
}

// WithHeaders adds headers to each request. They may hold ${NAME}.
func (d Dialect) WithHeaders(more map[string]string) Dialect {
	add := func(s Step) Step {
		headers := maps.Clone(s.Headers)
		if headers == nil {
			headers = map[string]string{}
		}
		maps.Copy(headers, more)
		s.Headers = headers
		return s
	}
	d.steps, d.Request.Cleanup = each(d.steps, add), each(d.Request.Cleanup, add)
	if d.Request.Kill != nil {
		kill := add(*d.Request.Kill)
		d.Request.Kill = &kill
	}
	return d
}

// AnswersHTTP asks whether anybody speaks HTTP there, by GET /.
func AnswersHTTP(ctx context.Context, open func(Dialect) Speaker) error {
	d := ProcessExecute()
	d.Ready = "" // whatever it says, it speaks HTTP
	ctx, cancel := context.WithTimeout(ctx, firstLimit)
	defer cancel()
	_, err := open(d).Ready(ctx)
	return err
}

// firstLimit is for the first answer, whatever it says.
const firstLimit = 10 * time.Second

package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/backtest"
	"github.com/scalerd/scalerd/scaler/trace"
)

const (
	// keptBacktests and queuedBacktests bound the backtests that are remembered and
	// that wait, longestBacktest the time of one.
	keptBacktests   = 50
	queuedBacktests = 10
	longestBacktest = 10 * time.Minute
)

// BacktestRequest is what a backtest is to try. What is left out has the defaults of
// scalerctl backtest.
type BacktestRequest struct {
	Name  string `json:"name,omitempty" default:"trace" doc:"Name of the trace, for the results."`
	Trace string `json:"trace" doc:"CSV with the columns t_seconds and requests_per_second."`
	// Policies are built-in ones by name.
	Policies []string `json:"policies,omitempty" maxItems:"20" doc:"Built-in policies, such as hpa60, target60 or auto."`
	// Description and Group are a group's own policies to try.
	Description *Description      `json:"description,omitempty" doc:"A description of which a group's policies are tried."`
	Group       string            `json:"group,omitempty" doc:"The group of the description."`
	Metrics     map[string]string `json:"metrics,omitempty" doc:"Source of each query of the description: METRIC or METRIC*FACTOR of the simulated nodes."`
	LimitMS     float64           `json:"limit_ms,omitempty" default:"250" exclusiveMinimum:"0" doc:"Highest mean latency that is allowed, in milliseconds."`
	Seed        uint64            `json:"seed,omitempty" default:"1"`
	Nodes       int               `json:"nodes,omitempty" minimum:"0" maximum:"10000" doc:"Nodes that the peak of the load needs; 24 where it is left out."`
	Drift       float64           `json:"drift,omitempty" default:"1" exclusiveMinimum:"0" doc:"Factor of the service time from half of the trace on."`
}

// Backtest is a run, with its report when it succeeded.
type Backtest struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"queued,running,succeeded,failed"`
	By     string `json:"by,omitempty"`
	// Application is that of the description; empty without one.
	Application string           `json:"application,omitempty" doc:"The application that the description is of."`
	CreatedAt   time.Time        `json:"created_at"`
	EndedAt     time.Time        `json:"ended_at,omitzero"`
	Error       string           `json:"error,omitempty"`
	Report      *backtest.Report `json:"report,omitempty"`

	seq   int64
	asker []string
}

// seenBy reports whether somebody may see it: one of no application is for those who are
// confined to none, and for who started it.
func (t Backtest) seenBy(who access.Identity) bool {
	if t.Application == "" && who.Bounded() {
		return slices.Equal(t.asker, asker(who))
	}
	return who.Sees(t.Application)
}

// Backtests runs backtests one after the other. It is safe for concurrent use.
type Backtests struct {
	service *scaler.Service
	queue   chan job

	mu  sync.Mutex
	seq int64
	all []Backtest // oldest first
}

type job struct {
	id  string
	run func(context.Context) (backtest.Report, error)
}

// NewBacktests returns Backtests, whose Run has to be called.
func NewBacktests(service *scaler.Service) *Backtests {
	return &Backtests{service: service, queue: make(chan job, queuedBacktests)}
}

// Run works until ctx ends.
func (b *Backtests) Run(ctx context.Context) error {
	for {
		select {
		case j := <-b.queue:
			b.change(j.id, func(t *Backtest) { t.Status = "running" })
			report, err := b.try(ctx, j)
			b.change(j.id, func(t *Backtest) {
				t.EndedAt, t.Status, t.Report = time.Now(), "succeeded", &report
				if err != nil {
					t.Status, t.Report, t.Error = "failed", nil, err.Error()
				}
			})
		case <-ctx.Done():
			return nil
		}
	}
}

// try runs one; what goes wrong in it never reaches the daemon.
func (b *Backtests) try(ctx context.Context, j job) (report backtest.Report, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("backtest: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, longestBacktest, fmt.Errorf("it took longer than %s: try fewer policies or a shorter trace", longestBacktest))
	defer cancel()
	if report, err = j.run(ctx); errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return report, err
}

func (b *Backtests) change(id string, change func(*Backtest)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.IndexFunc(b.all, func(t Backtest) bool { return t.ID == id }); i >= 0 {
		change(&b.all[i])
	}
}

func registerBacktests(api huma.API, b *Backtests) {
	tag := tagged("backtests")
	serve(api, endpoint(access.Operator, http.MethodPost, "/v1/backtests", "start-backtest", "Replay a recorded load against simulated nodes, one backtest after the other.", tag, accepted), b.start)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/backtests", "list-backtests", "The backtests since the start, the newest first, without their reports.", tag), b.list)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/backtests/{id}", "get-backtest", "A backtest, with its report when it is done.", tag), b.get)
}

type startedBacktest struct {
	Location string `header:"Location"`
	Body     Backtest
}

func (b *Backtests) start(ctx context.Context, in *body[BacktestRequest]) (*startedBacktest, error) {
	run, application, err := b.prepare(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	who := access.Principal(ctx)
	t := Backtest{ID: rand.Text()[:16], Status: "queued", By: who.Name, Application: application, CreatedAt: time.Now(), asker: asker(who)}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.queue <- job{t.ID, run}: // it is begun after the lock is free
	default:
		return nil, huma.Error503ServiceUnavailable(fmt.Sprintf("%d backtests wait already: try again later", queuedBacktests))
	}
	b.seq++
	t.seq = b.seq
	if b.all = append(b.all, t); len(b.all) > keptBacktests {
		b.all = b.all[1:]
	}
	return &startedBacktest{"/v1/backtests/" + t.ID, t}, nil
}

// prepare checks all that can be checked before the run, and says which application it
// is about.
func (b *Backtests) prepare(ctx context.Context, in BacktestRequest) (run func(context.Context) (backtest.Report, error), application string, err error) {
	wrong := func(err error) error { return huma.Error422UnprocessableEntity(err.Error()) }
	recorded, err := trace.Parse(in.Name, strings.NewReader(in.Trace))
	if err != nil {
		return nil, "", wrong(err)
	}
	plant, limit := backtest.DefaultPlant(), time.Duration(in.LimitMS*float64(time.Millisecond))
	plant.Drift = in.Drift
	makers, nodes, application, err := b.makers(ctx, in)
	if err != nil {
		return nil, "", err
	}
	load, err := backtest.NewLoad(in.Name, recorded, plant, limit, nodes, in.Seed)
	if err != nil {
		return nil, "", wrong(err)
	}
	world, err := backtest.NewWorld(plant, load, limit, in.Seed)
	if err != nil {
		return nil, "", wrong(err)
	}
	return func(ctx context.Context) (backtest.Report, error) {
		return world.Compare(ctx, makers, backtest.Options{})
	}, application, nil
}

// makers are the policies to try, how many nodes the peak is to need, and the application
// of the description.
func (b *Backtests) makers(ctx context.Context, in BacktestRequest) (makers []backtest.Maker, nodes int, application string, err error) {
	wrong := func(where string, err error) error {
		return huma.Error422UnprocessableEntity("the backtest can't be run", &huma.ErrorDetail{Message: err.Error(), Location: "body." + where})
	}
	for _, name := range in.Policies {
		entry, err := backtest.Find(name)
		if err != nil {
			return nil, 0, "", wrong("policies", err)
		}
		makers = append(makers, entry.Make)
	}
	nodes = in.Nodes
	if in.Description != nil {
		if err := mayDescribe(ctx, b.service, in.Description.source()); err != nil {
			return nil, 0, "", err
		}
		app, err := b.service.Validate(in.Description.source())
		if err != nil {
			return nil, 0, "", err
		}
		sources := map[string]backtest.Source{}
		for query, text := range in.Metrics {
			if sources[query], err = backtest.ParseSource(text); err != nil {
				return nil, 0, "", wrong("metrics."+query, err)
			}
		}
		made, err := backtest.Described(app.Name+"/"+in.Group, app, in.Group, sources)
		if err != nil {
			return nil, 0, "", wrong("group", err)
		}
		makers, application = append(makers, made), app.Name
		if nodes == 0 {
			nodes = max(1, app.Group(in.Group).Max*3/4)
		}
	}
	if len(makers) == 0 {
		return nil, 0, "", wrong("policies", errors.New("name a built-in policy, or give a description and its group"))
	}
	if nodes == 0 {
		nodes = 24
	}
	return makers, nodes, application, nil
}

func (b *Backtests) list(ctx context.Context, in *PageInput) (Page[Backtest], error) {
	before, err := in.before(0)
	if err != nil {
		return Page[Backtest]{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	who := access.Principal(ctx)
	var newest []Backtest
	for _, t := range slices.Backward(b.all) {
		if (before == 0 || t.seq < before) && t.seenBy(who) {
			t.Report = nil
			newest = append(newest, t)
		}
	}
	return numbered(newest, *in, func(t Backtest) int64 { return t.seq }), nil
}

type backtestInput struct {
	ID string `path:"id"`
}

func (b *Backtests) get(ctx context.Context, in *backtestInput) (Backtest, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.all, func(t Backtest) bool { return t.ID == in.ID && t.seenBy(access.Principal(ctx)) })
	if i < 0 {
		return Backtest{}, fmt.Errorf("backtest %s (the last %s since the start are kept): %w", in.ID, strconv.Itoa(keptBacktests), scaler.ErrNotFound)
	}
	return b.all[i], nil
}

package monitor

import (
	"fmt"
	"log/slog"
	"maps"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
)

// poolSize is the most targets of one pool. A scrape manager goes through all of its
// targets when one changes, which takes about 5 µs for each.
const poolSize = 500

// pool is a scrape manager and its targets, of any applications.
type pool struct {
	scraper *scrape.Manager
	updates chan map[string][]*targetgroup.Group
	stopped chan struct{} // closed when the scraper has read all updates
	groups  map[*Application]*targetgroup.Group
	size    int
}

// openPool starts a scrape manager that stores what it scrapes in db.
func openPool(cfg *config.Config, db storage.AppendableV2, logger *slog.Logger) (*pool, error) {
	scraper, err := scrape.NewManager(&scrape.Options{
		DiscoveryReloadInterval:  model.Duration(reloadInterval),
		DiscoveryReloadOnStartup: true,
	}, logger, nil, nil, db, prometheus.NewRegistry())
	if err == nil {
		err = scraper.ApplyConfig(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("configure scraping: %w", err)
	}
	p := &pool{
		scraper: scraper,
		updates: make(chan map[string][]*targetgroup.Group, 1),
		stopped: make(chan struct{}),
		groups:  map[*Application]*targetgroup.Group{},
	}
	go func() {
		defer close(p.stopped)
		// Run's only end is that of its channel, without an error.
		_ = p.scraper.Run(p.updates)
	}()
	return p, nil
}

// set makes these the targets of a in the pool; none is nil.
func (p *pool) set(a *Application, targets []model.LabelSet) {
	if len(targets) == 0 {
		delete(p.groups, a)
	} else {
		p.groups[a] = &targetgroup.Group{Source: a.name, Targets: targets}
	}
	all := []*targetgroup.Group{}
	for g := range maps.Values(p.groups) {
		all = append(all, g)
	}
	p.send(all)
}

// send hands the scraper the whole target list. A list that it has not taken yet
// is out of date and withdrawn, so that send never waits.
func (p *pool) send(all []*targetgroup.Group) {
	select {
	case <-p.updates:
	default:
	}
	p.updates <- map[string][]*targetgroup.Group{scrapePool: all}
}

func (p *pool) close() {
	// The empty list goes first: the scrape manager may apply the list it has
	// once more while it stops, and would start loops that nobody ends.
	p.send(nil)
	close(p.updates)
	<-p.stopped
	p.scraper.Stop()
}

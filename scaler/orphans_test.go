package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen"
)

// lookedUp is an actuator with one shard: web-0001 exists as i-1, web-0002 is wanted
// and not there, web-0003 was dropped, and 4 is the next number.
func lookedUp(t *testing.T) *actuator {
	s := &shard{
		name: "shard-000", dir: t.TempDir(), nodes: tfgen.Nodes{"web-0001": {}, "web-0002": {}},
		state: State{
			Resources: map[string]bool{`aws_instance.node["web-0001"]`: false},
			IDs:       map[string]string{`aws_instance.node["web-0001"]`: "i-1"},
		},
	}
	return &actuator{
		app: "shop", group: "web", installation: "here", next: 4, log: slog.New(slog.DiscardHandler),
		module: tfgen.Module{PerNode: []string{"aws_instance.node"}}, shards: []*shard{s}, doomed: map[string]bool{},
		lookup: lookup{possible: true, seen: map[string]time.Time{}, refused: map[string]string{}, startedAt: decideNow},
	}
}

func foundNode(id, node string) tfgen.Found {
	return tfgen.Found{Type: "aws_instance", ID: id, Application: "shop", Group: "web", Node: node, Decision: "7", Installation: "here"}
}

func TestVerdictOnWhatNoStateTellsOf(t *testing.T) {
	with := func(f tfgen.Found, change func(*tfgen.Found)) tfgen.Found { change(&f); return f }
	nothing := func(*actuator) {}
	rows := []struct {
		name  string
		found tfgen.Found
		given func(*actuator)
		want  Verdict // empty where it is no orphan
	}{
		{"what the state has is no orphan", foundNode("i-1", "web-0001"), nothing, ""},
		{"an identifier in another case is the same", foundNode("I-1", "web-0001"), nothing, ""},
		{"what a wanted node misses is adopted", foundNode("i-2", "web-0002"), nothing, VerdictAdopt},
		{"a second machine of a node goes", foundNode("i-9", "web-0001"), nothing, VerdictDelete},
		{"a machine of a dropped node goes", foundNode("i-3", "web-0003"), nothing, VerdictDelete},
		{"a machine of a node that is to go goes with its node", foundNode("i-2", "web-0002"), func(a *actuator) { a.doomed["web-0002"] = true }, VerdictAdopt},
		{"what could not be adopted goes", foundNode("i-2", "web-0002"), func(a *actuator) { a.lookup.refused["i-2"] = "it would be replaced" }, VerdictDelete},
		{"a resource that nodes do not have any more goes", with(foundNode("e-1", "web-0001"), func(f *tfgen.Found) { f.Type = "azurerm_public_ip" }), nothing, VerdictDelete},
		{"what another scalerd made stays", with(foundNode("i-5", "web-0002"), func(f *tfgen.Found) { f.Installation = "there" }), nothing, VerdictKeep},
		{"what does not tell who made it stays", with(foundNode("i-5", "web-0003"), func(f *tfgen.Found) { f.Installation = "" }), nothing, VerdictKeep},
		{"a name that is none of the group's stays", foundNode("i-5", "db-0001"), nothing, VerdictKeep},
		{"a number that was never decided stays", foundNode("i-5", "web-0004"), nothing, VerdictKeep},
		{"what is of a shard with a step in flight is not judged", foundNode("i-2", "web-0002"), func(a *actuator) { a.shards[0].busy = true }, ""},
		{"what is of a shard whose step ended since is not judged", foundNode("i-2", "web-0002"), func(a *actuator) { a.shards[0].endedAt = decideNow.Add(1) }, ""},
		{"while a state is lost nothing is judged", foundNode("i-3", "web-0003"), func(a *actuator) { a.shards[0].stateErr = ErrStateLost }, ""},
		{"another application's is not judged", with(foundNode("i-5", "web-0002"), func(f *tfgen.Found) { f.Application = "blog" }), nothing, ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			a := lookedUp(t)
			r.given(a)
			a.judge([]tfgen.Found{r.found})
			var got Verdict
			if len(a.lookup.orphans) > 0 {
				got = a.lookup.orphans[0].Verdict
			}
			if got != r.want {
				t.Errorf("judge() = %q (%+v), want %q", got, a.lookup.orphans, r.want)
			}
		})
	}
}

func TestOfTwoMachinesOfANodeOneIsAdopted(t *testing.T) {
	a := lookedUp(t)
	a.judge([]tfgen.Found{foundNode("i-4", "web-0002"), foundNode("i-2", "web-0002")})
	s := a.shards[0]
	want := map[string]string{`aws_instance.node["web-0002"]`: "i-2"}
	if diff := cmp.Diff(want, s.adopts); diff != "" {
		t.Errorf("adopts (-want +got):\n%s", diff)
	}
	if e := s.expect(a.module); len(e.Create) > 0 || len(e.Import) != 1 {
		t.Errorf("expect() = %+v, want one import and no creation", e)
	}
	again := &shard{dir: s.dir}
	if err := again.readAdopts(); err != nil || !cmp.Equal(again.adopts, want) {
		t.Errorf("readAdopts() = %v, %v after a restart, want %v", again.adopts, err, want)
	}
	if verdict := a.lookup.orphans[1].Verdict; verdict != VerdictDelete {
		t.Errorf("the other one is to %s, want delete", verdict)
	}
}

func TestAnAssociationThatIsThereAlreadyIsAdopted(t *testing.T) {
	const nic, nsg = "/subscriptions/1/networkInterfaces/shop-web-0001", "/subscriptions/1/networkSecurityGroups/web"
	association := `azurerm_network_interface_security_group_association.node["web-0001"]`
	refused := func(id string) error {
		return fmt.Errorf("apply: %w", Diagnostics{{Severity: "error", Address: association,
			Summary: fmt.Sprintf("A resource with the ID %q already exists - to be managed via Terraform this resource needs to be imported into the State.", id)}})
	}
	for _, r := range []struct {
		name, id string
		want     map[string]string
	}{
		{"of an interface of ours", nic + "|" + nsg, map[string]string{association: nic + "|" + nsg}},
		{"of another interface", "/subscriptions/1/networkInterfaces/x|" + nsg, nil},
		{"what is no association", nic, nil},
	} {
		a := lookedUp(t)
		a.module.PerNode = []string{"azurerm_network_interface.node", "azurerm_network_interface_security_group_association.node"}
		s := a.shards[0]
		s.state.IDs = map[string]string{`azurerm_network_interface.node["web-0001"]`: nic}
		a.adoptExisting(s, refused(r.id))
		if diff := cmp.Diff(r.want, s.adopts); diff != "" {
			t.Errorf("%s: adopts (-want +got):\n%s", r.name, diff)
		}
	}
}

func TestAnOrphanIsDeletedWhenItWasSeenAgainAfterTheGrace(t *testing.T) {
	a := lookedUp(t)
	a.lookupGrace = time.Minute
	look := func(at time.Duration) int {
		a.lookup.startedAt = decideNow.Add(at)
		a.takeLookup(foundResult{found: []tfgen.Found{foundNode("i-3", "web-0003")}})
		return len(a.condemned())
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {59 * time.Second, 0}, {time.Minute, 1}} {
		if got := look(step.at); got != step.want {
			t.Errorf("%s after the first sight %d orphans go, want %d", step.at, got, step.want)
		}
	}
	a.lookup.startedAt = decideNow.Add(2 * time.Minute)
	a.takeLookup(foundResult{})
	if look(3*time.Minute) != 0 {
		t.Error("one that was away meanwhile goes at once, want a grace of its own")
	}
}

func TestASuspectShardWaitsUntilTheCloudWasAsked(t *testing.T) {
	a := lookedUp(t)
	a.lookupGrace = time.Minute
	s := a.shards[0]
	a.suspect(s, decideNow)
	look := func(at time.Duration, err error) bool {
		a.lookup.startedAt = decideNow.Add(at)
		a.takeLookup(foundResult{err: err})
		return s.suspect == nil
	}
	if look(-time.Second, nil) {
		t.Error("a lookup from before the creation clears the shard")
	}
	if look(time.Second, nil) {
		t.Error("a lookup within the grace that finds nothing clears the shard")
	}
	if !look(time.Minute, nil) {
		t.Error("a lookup after the grace does not clear the shard")
	}
	a.suspect(s, decideNow)
	for n := 1; n <= lookupFailures; n++ {
		if cleared := look(0, errors.New("no answer")); cleared != (n == lookupFailures) {
			t.Errorf("cleared = %t after %d failed lookups, want it at the %dth", cleared, n, lookupFailures)
		}
	}
}

func TestOnlyARefusedCreationHasMadeNothing(t *testing.T) {
	said := func(words ...string) error {
		var d Diagnostics
		for _, w := range words {
			d = append(d, Diagnostic{Severity: "error", Summary: w})
		}
		return fmt.Errorf("apply: %w", d)
	}
	rows := []struct {
		name string
		err  error
		want bool
	}{
		{"a quota", said("VcpuLimitExceeded: You have requested more vCPU capacity"), false},
		{"no capacity on Azure", said("SkuNotAvailable: The requested VM size is not available"), false},
		{"a lost connection", said("read tcp: connection reset by peer"), true},
		{"a dead provider", said("Plugin did not respond"), true},
		{"a quota and a lost connection", said("QuotaExceeded", "unexpected EOF"), true},
		{"a killed terraform", ErrInterrupted, true},
		{"an interrupted one", context.Canceled, true},
	}
	for _, r := range rows {
		if got := mayHaveMade(r.err); got != r.want {
			t.Errorf("mayHaveMade(%s) = %t, want %t", r.name, got, r.want)
		}
	}
}

func TestDriftChecksKeepToTheirBudget(t *testing.T) {
	b := newDriftBudget(2, 60)
	now := decideNow
	take := func(after time.Duration, want bool) {
		t.Helper()
		now = now.Add(after)
		if got := b.take(now); got != want {
			t.Errorf("take() = %t at %s, want %t", got, now.Sub(decideNow), want)
		}
	}
	take(0, true)
	take(59*time.Second, false) // 60 an hour
	take(time.Second, true)
	take(time.Minute, false) // two run
	b.done()
	take(0, true)
}

// looking is a Terraform that finds no drift.
type looking struct{ Terraform }

func (looking) Drift(context.Context, Root) ([]Change, error) { return nil, nil }

func (looking) State(string) (State, error) { return State{}, errors.New("there is none") }

// sightless is an Inspector that sees nothing.
type sightless struct{ Inspector }

func (sightless) Dead(string, []string) []string { return nil }

func TestAShardWhoseApplyIsTakenOverIsNotChecked(t *testing.T) {
	for _, recovering := range []bool{false, true} {
		s := &shard{name: "shard-000", recovering: recovering, state: State{Resources: map[string]bool{"terraform_data.node[\"web-0001\"]": false}}}
		a := &actuator{
			tf: looking{}, inspect: sightless{}, driftEvery: time.Minute, driftBudget: newDriftBudget(1, 0), results: make(chan result, 1),
			shards: []*shard{s}, checked: map[string]time.Time{s.name: decideNow.Add(-time.Hour)},
		}
		a.checkDrift(t.Context(), decideNow)
		if checked := a.checking == s; checked == recovering {
			t.Errorf("with an apply that is taken over (%t), the shard is checked: %t", recovering, checked)
		}
		if a.checking != nil {
			<-a.results
		}
	}
}

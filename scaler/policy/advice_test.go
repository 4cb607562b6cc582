package policy

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestTheAdvicePolicyFollowsWhatItMayTrust(t *testing.T) {
	for _, tt := range []struct {
		name   string
		advice *Advice
		want   Proposal
	}{
		{"a valid advice is proposed", &Advice{Valid: true, Phase: "production", Nodes: 7, Reliability: 97.26, Reasons: []string{"7 is the smallest", "8 is enough"}},
			Proposal{Policy: "advice", Nodes: 7, Reason: "7 nodes advised (production, reliability 97.26): 7 is the smallest; 8 is enough"}},
		{"an advice that is not reliable enough is no opinion", &Advice{Valid: true, Phase: "production", Nodes: 7, Reliability: 40},
			Proposal{Policy: "advice", Nodes: 7, Abstain: true, Reason: "7 nodes advised, but its reliability of 40 is below 50"}},
		{"an optimizer that still learns has no opinion", &Advice{Phase: "training", Nodes: 2, Error: "12 of 300 samples"},
			Proposal{Policy: "advice", Nodes: 2, Abstain: true, Reason: "no advice yet: 12 of 300 samples"}},
		{"one that has learned and can't tell holds", &Advice{Phase: "production", Nodes: 2, Error: "CPU has no value"},
			Proposal{Policy: "advice", Nodes: 2, Hold: true, Reason: "no advice: CPU has no value"}},
		{"none at all has no opinion", nil,
			Proposal{Policy: "advice", Nodes: 3, Abstain: true, Reason: "no advice yet: group web has no optimizer: add optimizer: to it, or constants m_opt_init_*, queries m_opt_input_* and m_opt_target_query_*"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := New(spec.Policy{Name: "advice", Advice: &spec.Advice{MinReliability: 50}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, p.Propose(Observation{Group: "web", Wanted: 3, Advice: tt.advice})); diff != "" {
				t.Errorf("Propose() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARuleAsksForAdviceAsMiCADOs(t *testing.T) {
	const source = `adv = m_opt_advice()
print(adv['valid'], adv['phase'], adv['vm_number'], adv['reliability'], adv['error_msg'])
if adv['valid']:
    m_node_count = adv['vm_number']
`
	for _, tt := range []struct {
		name   string
		advice *Advice
		nodes  int
		print  string
	}{
		{"valid", &Advice{Valid: true, Phase: "production", Nodes: 5, Reliability: 91.5}, 5, "True production 5 91.5 "},
		{"not valid", &Advice{Phase: "training", Nodes: 5, Error: "no sample"}, 2, "False training 5 0.0 no sample"},
		{"a reliability that is no number", &Advice{Valid: true, Phase: "production", Nodes: 5, Reliability: math.NaN()}, 5, "True production 5 0.0 "},
		{"no optimizer", nil, 2, "False training 2 0.0 group web has no optimizer: add optimizer: to it, or constants m_opt_init_*, queries m_opt_input_* and m_opt_target_query_*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := CheckRule(spec.Rule{Source: source}, nil); err != nil {
				t.Fatal(err)
			}
			p, err := New(spec.Policy{Name: "rule", Rule: &spec.Rule{Source: source}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Propose(Observation{Group: "web", Wanted: 2, Advice: tt.advice})
			if got.Nodes != tt.nodes || got.Hold || len(got.Prints) != 1 || got.Prints[0] != tt.print {
				t.Errorf("Propose() = %+v, want %d nodes and %q", got, tt.nodes, tt.print)
			}
			if len(p.Queries()) != 0 {
				t.Errorf("Queries() = %v, want none: m_opt_advice is no query", p.Queries())
			}
		})
	}
}

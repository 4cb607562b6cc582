package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
)

func TestRuleNotes(t *testing.T) {
	var got []string
	for _, note := range policy.RuleNotes(*rule("print 'a'\nprint('b')\nif x: print x\nm_container_count = m_container_count + 1 # print y").Rule) {
		got = append(got, note.Error())
	}
	want := []string{
		"app.yaml:40:9: print is a function: write print(...) with parentheses, which is how this is understood",
		"app.yaml:42:15: print is a function: write print(...) with parentheses, which is how this is understood",
		"app.yaml:43:9: m_container_count is kept for the rules of MiCADO: nodes are scaled here and containers are not, so it is 1 and what the rule sets is not used",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RuleNotes() (-want +got):\n%s", diff)
	}
}

package api

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

type searchInput struct {
	PageInput
	BriefInput
	Application string `query:"application" doc:"Only of this application."`
	Search      string `query:"search" maxLength:"200" doc:"Only with all of these words, anywhere in its group, size, nodes, reasons and proposals."`
	Kind        string `query:"kind" enum:"out,in,drop,held" doc:"Only those that grow or shrink their group, drop a chosen node, or hold."`
}

// searched bounds the decisions that one page looks at: one that reaches it has fewer
// items than it may, and the next page goes on.
const searched = 10000

// search reads decisions until a page is full.
func (h decisions) search(ctx context.Context, in *searchInput) (Page[scaler.Decision], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[scaler.Decision]{}, err
	}
	if in.Application != "" {
		if err := mayUse(ctx, in.Application); err != nil {
			return Page[scaler.Decision]{}, err
		}
	}
	who, words := access.Principal(ctx), strings.Fields(strings.ToLower(in.Search))
	page := Page[scaler.Decision]{Items: []scaler.Decision{}}
	const atOnce = 500
	for range searched / atOnce {
		found, err := h.service.DecisionsBefore(ctx, in.Application, "", before, atOnce)
		if err != nil {
			return Page[scaler.Decision]{}, err
		}
		for _, d := range found {
			if !who.Sees(d.Application) || !isKind(d, in.Kind) || !says(d, words) {
				continue
			}
			if len(page.Items) == in.Limit {
				page.NextPageToken = token(strconv.FormatInt(page.Items[in.Limit-1].ID, 10))
				return page, nil
			}
			page.Items = append(page.Items, in.of(d))
		}
		if len(found) < atOnce {
			return page, nil
		}
		before = found[len(found)-1].ID
	}
	page.NextPageToken = token(strconv.FormatInt(before, 10))
	return page, nil
}

func isKind(d scaler.Decision, kind string) bool {
	switch kind {
	case "out":
		return d.To > d.From
	case "in":
		return d.To < d.From
	case "drop":
		return len(d.Drop) > 0
	case "held":
		return d.Held
	}
	return true
}

// says reports whether all words are in what a decision says. They are in lower case.
func says(d scaler.Decision, words []string) bool {
	if len(words) == 0 {
		return true
	}
	texts := slices.Concat([]string{d.Application, d.Group, fmt.Sprintf("%d → %d", d.From, d.To)}, d.Reasons, d.Clamps, d.Drop)
	for _, p := range d.Proposals {
		texts = append(texts, p.Policy, p.Reason, p.Error)
	}
	text := strings.ToLower(strings.Join(texts, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

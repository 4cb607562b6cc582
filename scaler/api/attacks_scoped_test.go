package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

func TestATokenOfOneApplicationFindsOnlyItsDecisions(t *testing.T) {
	c := fortify(t, access.Options{})
	for _, name := range []string{"shop", "mine", "other"} {
		if _, err := c.service.Submit(t.Context(), scaler.Source{Text: []byte(strings.Replace(empty, "shop", name, 1))}); err != nil {
			t.Fatal(err)
		}
	}
	for token, want := range map[string][]string{"viewer": {"other", "mine", "shop"}, "bounded": {"mine"}} {
		_, text := c.do("GET", "/v1/decisions", "", c.bearer(token)...)
		var page api.Page[scaler.Decision]
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var got []string
		for _, d := range page.Items {
			got = append(got, d.Application)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s finds decisions of (-want +got):\n%s", token, diff)
		}
	}
}

func TestATokenOfOneApplicationListsOnlyItsState(t *testing.T) {
	c := fortify(t, access.Options{})
	for _, name := range []string{"shop", "mine", "other"} {
		if _, err := c.service.Submit(t.Context(), scaler.Source{Text: []byte(strings.Replace(empty, "shop", name, 1))}); err != nil {
			t.Fatal(err)
		}
	}
	// One after the other: what is kept for one is not for the next.
	for _, tt := range []struct {
		token string
		want  []string
	}{{"viewer", []string{"mine", "other", "shop"}}, {"bounded", []string{"mine"}}, {"viewer", []string{"mine", "other", "shop"}}} {
		for _, query := range []string{"", "?brief=true"} {
			res, text := c.do("GET", "/v1/applications"+query, "", c.bearer(tt.token)...)
			var page api.Page[scaler.ApplicationStatus]
			if err := json.Unmarshal([]byte(text), &page); err != nil {
				t.Fatalf("%s: %s: %v", res.Status, text, err)
			}
			var got []string
			for _, a := range page.Items {
				got = append(got, a.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s lists, with %q (-want +got):\n%s", tt.token, query, diff)
			}
		}
	}
}

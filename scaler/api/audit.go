package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
)

// auditing are the handlers for the audit log in a folder.
type auditing struct{ dir string }

func registerAudit(api huma.API, h auditing) {
	tag := tagged("audit")
	register(api, endpoint(access.Admin, http.MethodGet, "/v1/audit", "list-audit", "Who did what, from where, with which result, the newest first.", tag), h.list)
	register(api, endpoint(access.Admin, http.MethodGet, "/v1/audit/verification", "verify-audit", "Whether the audit log is as it was written.", tag), h.verify)
}

type auditInput struct {
	PageInput
	Who    string `query:"who" doc:"Only of this user or token."`
	Action string `query:"action" doc:"Only of this operation, such as scale-group."`
	Search string `query:"search" maxLength:"200" doc:"Only with all of these words, anywhere in who, how, from, action, target, result or detail."`
}

// keep tells whether an entry is asked for.
func (in *auditInput) keep() func(audit.Entry) bool {
	words := strings.Fields(strings.ToLower(in.Search))
	return func(e audit.Entry) bool {
		if in.Who != "" && e.Who != in.Who || in.Action != "" && e.Action != in.Action {
			return false
		}
		text := strings.ToLower(strings.Join([]string{e.Who, e.How, e.From, e.Action, e.Target, e.Result, e.Detail}, "\n"))
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
}

func (h auditing) list(_ context.Context, in *auditInput) (Page[audit.Entry], error) {
	before, err := in.before(0)
	if err != nil {
		return Page[audit.Entry]{}, err
	}
	found, more, err := audit.Before(h.dir, before, in.Limit, in.keep())
	page := Page[audit.Entry]{Items: found}
	if more {
		page.NextPageToken = token(strconv.FormatInt(found[len(found)-1].Seq, 10))
	}
	return page, err
}

type auditHeadInput struct {
	Seq  int64  `query:"seq" minimum:"0" doc:"Number of an entry that was the last one in an earlier answer."`
	Hash string `query:"hash" maxLength:"64" doc:"The hash of that entry."`
}

func (h auditing) verify(_ context.Context, in *auditHeadInput) (audit.Verification, error) {
	return audit.Verify(h.dir, audit.Head{Seq: in.Seq, Hash: in.Hash})
}

// Audit are at most limit of the newest entries of the audit log, the newest first;
// who and action choose where they are not empty.
func (c *Client) Audit(ctx context.Context, limit int, who, action string) ([]audit.Entry, error) {
	return pages[audit.Entry](ctx, c, url.Values{"who": {who}, "action": {action}}, limit, "v1", "audit")
}

// VerifyAudit checks the audit log; known is the head of an earlier report, or zero.
func (c *Client) VerifyAudit(ctx context.Context, known audit.Head) (audit.Verification, error) {
	query := url.Values{"seq": {strconv.FormatInt(known.Seq, 10)}, "hash": {known.Hash}}
	return call[audit.Verification](ctx, c, http.MethodGet, query, nil, "v1", "audit", "verification")
}

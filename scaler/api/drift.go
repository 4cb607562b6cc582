package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

func registerDrift(api huma.API, h groups) {
	const path = "/v1/applications/{application}/drift"
	tag := tagged("groups")
	register(api, endpoint(access.Viewer, http.MethodGet, path, "list-drift", "What changed behind Terraform's back, and when each shard was checked, by group.", tag), h.drift)
	serve(api, endpoint(access.Operator, http.MethodPost, path+"/check", "check-drift", "Check all shards of an application, or of a group, for drift now.", tag, accepted), h.checkDrift)
}

type driftInput struct {
	ApplicationPath
	PageInput
	Group string `query:"group" doc:"Only of this group."`
}

func (h groups) drift(ctx context.Context, in *driftInput) (Page[scaler.GroupDrift], error) {
	found, err := h.service.Drift(ctx, in.Application, in.Group)
	if err != nil {
		return Page[scaler.GroupDrift]{}, err
	}
	return paged(found, in.PageInput, func(g scaler.GroupDrift) string { return g.Group })
}

type checkDriftInput struct {
	ApplicationPath
	Group string `query:"group" doc:"Only this group."`
}

func (h groups) checkDrift(ctx context.Context, in *checkDriftInput) (*started, error) {
	return begun(h.operations.Drift(ctx, access.Principal(ctx).Name, in.Application, in.Group))
}

package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

func registerOrphans(api huma.API, service *scaler.Service) {
	type input struct {
		ApplicationPath
		PageInput
		Group string `query:"group" doc:"Only of this group."`
	}
	o := endpoint(access.Viewer, http.MethodGet, "/v1/applications/{application}/orphans", "list-orphans",
		"What the clouds have of an application and no state tells of, by group.", tagged("groups"))
	register(api, o, func(ctx context.Context, in *input) (Page[scaler.GroupOrphans], error) {
		found, err := service.Orphans(ctx, in.Application, in.Group)
		if err != nil {
			return Page[scaler.GroupOrphans]{}, err
		}
		return paged(found, in.PageInput, func(g scaler.GroupOrphans) string { return g.Group })
	})
}

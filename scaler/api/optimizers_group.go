package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler/access"
)

// registerGroupOptimizers adds the operations on a group's optimizer under the
// group's path; under /v1/optimizers it is called application.group.
func registerGroupOptimizers(api huma.API, h optimizers) {
	const one = "/v1/applications/{application}/groups/{group}"
	tag := tagged("groups")
	register(api, endpoint(access.Viewer, http.MethodGet, one+"/advice", "get-group-advice", "What the group's optimizer advised at the last tick.", tag),
		func(ctx context.Context, in *GroupPath) (optimizer.Advice, error) {
			return h.advise(ctx, &adviseInput{OptimizerPath: in.optimizer()})
		})
	serve(api, endpoint(access.Viewer, http.MethodGet, one+"/report", "get-group-report", "What the group's optimizer knows, as a page, a picture or data.", tag, reportFile),
		func(ctx context.Context, in *groupReportInput) (*File, error) {
			return h.report(ctx, &reportInput{in.optimizer(), in.Format})
		})
	serve(api, endpoint(access.Viewer, http.MethodGet, one+"/knowledge", "export-group-knowledge", "The samples that the group's optimizer keeps, as a file.", tag, samplesFile),
		func(ctx context.Context, in *groupExportInput) (*File, error) {
			return h.exports(ctx, &exportInput{in.optimizer(), in.Format})
		})
	register(api, endpoint(access.Operator, http.MethodPost, one+"/knowledge", "import-group-knowledge", "Add samples of a file to the group's optimizer.", tag, func(o *huma.Operation) { o.MaxBodyBytes = maxKnowledge }),
		func(ctx context.Context, in *groupImportInput) (optimizer.Imported, error) {
			return h.imports(ctx, &importInput{in.optimizer(), in.Format, in.RawBody})
		})
}

func (in GroupPath) optimizer() OptimizerPath {
	return OptimizerPath{GroupOptimizer(in.Application, in.Group)}
}

type groupReportInput struct {
	GroupPath
	Format string `query:"format" enum:"html,png,svg,json" default:"html"`
}

type groupExportInput struct {
	GroupPath
	Format string `query:"format" enum:"csv,json" default:"csv"`
}

type groupImportInput struct {
	GroupPath
	Format  string `query:"format" enum:"csv,json" default:"csv"`
	RawBody []byte `contentType:"application/octet-stream"`
}

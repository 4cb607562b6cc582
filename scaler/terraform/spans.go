package terraform

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
)

// spanned runs a part of a step in a span of its own.
func spanned(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, span := otel.Tracer("github.com/scalerd/scalerd/scaler/terraform").Start(ctx, name)
	defer span.End()
	err := do(ctx)
	if err != nil && span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, "failed")
	}
	return err
}

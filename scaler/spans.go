package scaler

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// span begins a span of OpenTelemetry's global tracer, which does nothing where no
// endpoint is configured. An empty group and a decision of 0 are left out.
func span(ctx context.Context, name, application, group string, decision int64) (context.Context, trace.Span) {
	ctx, s := otel.Tracer("github.com/scalerd/scalerd/scaler").Start(ctx, name)
	if !s.IsRecording() {
		return ctx, s
	}
	s.SetAttributes(attribute.String("application", application))
	if group != "" {
		s.SetAttributes(attribute.String("group", group))
	}
	if decision != 0 {
		s.SetAttributes(attribute.Int64("decision", decision))
	}
	return ctx, s
}

// endSpan ends a span, as failed where there is an error.
func endSpan(s trace.Span, err error) {
	if err != nil {
		failSpan(s, err)
	}
	s.End()
}

func failSpan(s trace.Span, err error) {
	s.RecordError(err)
	s.SetStatus(codes.Error, "failed")
}

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/scalerd/scalerd/scaler/api"
)

// traces sends traces of ticks and steps to the collector that OpenTelemetry's usual
// variables name, OTEL_EXPORTER_OTLP_ENDPOINT above all; without one nothing is
// traced. The function that it returns sends what is left.
func traces(ctx context.Context) (func(), error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w; look at OTEL_EXPORTER_OTLP_ENDPOINT", err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", "scalerd"), attribute.String("service.version", api.Version()))
	if named, err := resource.New(ctx, resource.WithFromEnv()); err == nil {
		if about, err = resource.Merge(about, named); err != nil {
			return nil, fmt.Errorf("traces: %w", err)
		}
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = provider.Shutdown(ctx) // a collector that is gone is no failure of ours
	}, nil
}

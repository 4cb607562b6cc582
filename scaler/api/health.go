package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// Health is how the daemon is.
type Health struct {
	Version string `json:"version"`
	// Loaded is set when the stored applications run.
	Loaded       bool `json:"loaded"`
	Applications int  `json:"applications"`
	// Degraded are the applications of which something fails now.
	Degraded []string `json:"degraded"`
}

// Who is who makes a request.
type Who struct {
	Name         string      `json:"name"`
	Role         access.Role `json:"role" enum:"viewer,operator,admin"`
	How          string      `json:"how" doc:"socket, password, token, session, certificate or oidc"`
	From         string      `json:"from"`
	Applications []string    `json:"applications,omitempty" doc:"All that may be used, where it is not every one."`
}

func registerHealth(api huma.API, c Config) {
	tag := tagged("daemon")
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/health", "get-health", "How the daemon is.", tag), func(ctx context.Context, _ *struct{}) (Health, error) {
		h := Health{Version: c.Version, Degraded: []string{}}
		select {
		case <-c.Service.Loaded():
			h.Loaded = true
		default:
		}
		for _, a := range visible(ctx, c.Service.Applications(), func(a scaler.ApplicationStatus) string { return a.Name }) {
			h.Applications++
			if a.Degraded() {
				h.Degraded = append(h.Degraded, a.Name)
			}
		}
		return h, nil
	})
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/me", "get-me", "Who makes this request.", tag), func(ctx context.Context, _ *struct{}) (Who, error) {
		who := access.Principal(ctx)
		return Who{Name: who.Name, Role: who.Role, How: who.How, From: who.From, Applications: who.Applications}, nil
	})
}

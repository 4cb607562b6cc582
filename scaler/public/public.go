// Package public puts together what the API's own listener serves to other machines:
// each handler behind who may use it. Tests attack these very pages.
package public

import (
	"net/http"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/console"
	"github.com/scalerd/scalerd/scaler/docs"
	"github.com/scalerd/scalerd/scaler/micado"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/report"
	"github.com/scalerd/scalerd/scaler/submitter"
)

// Pages are the API, which is the handler that is given with its guard and trail, MiCADO's
// Submitter and Optimizer, the logins, the console, and the pages for users. signOn may
// be nil.
func Pages(service *scaler.Service, operations *operation.Registry, guard *access.Guard, signOn *oidc.Provider, trail *audit.Trail, api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", console.WithoutPrompt(api))
	pages := guard.Handler(console.Handler())
	mux.Handle("GET /{$}", pages)
	mux.Handle("GET "+console.Prefix, pages)
	compatible := guard.Handler(trail.Handler(submitter.Handler(service, operations)))
	mux.Handle("/v2.0/", compatible)
	mux.Handle("/toscasubmitter/", compatible)
	// MiCADO's paths name no application: the optimizer behind them is everybody's.
	optimizers := guard.Handler(trail.Handler(access.Require(access.Operator, access.Unbounded(micado.Handler(service, report.Page)))))
	for _, path := range []string{"/init", "/sample", "/advice", "/report", "/data/"} {
		mux.Handle(path, optimizers)
	}
	mux.Handle("/login", console.WithoutPrompt(guard.Login()))
	mux.Handle("/login/", signOn.Handler())
	mux.Handle("/logout", guard.Login())
	mux.Handle("GET "+docs.Prefix, guard.Handler(docs.Handler()))
	return mux
}

// Package api is scalerd's HTTP API, version 1, and the Go client that scalerctl
// uses.
//
// The API is described by the OpenAPI document that it serves itself, under
// /openapi.json and /openapi.yaml. Names are in snake case, times in RFC 3339.
//
//   - Errors are RFC 9457 problem documents. Those about a description (422) carry
//     its mistakes in errors, each with file, line and column as its value.
//   - Lists come in pages of items; next_page_token, where it is there, is the
//     page_token of the next one.
//   - What takes its time is answered with 202 and an operation, to be read at
//     /v1/operations/{id} or watched at /v1/operations/{id}/events. A newer order
//     supersedes an older one of the same kind; an order for an application that is
//     being destroyed is a 409.
//   - An application's ETag names the version of its description. With If-Match, and
//     If-None-Match: *, a change is made to that version only, else it is a 412.
//   - POST and PUT take an Idempotency-Key: for a day, and until a restart, the same
//     request with the same key gets the same answer and is not carried out again.
//     After a restart a repeated submission or size changes nothing either, because
//     both say what should be. An answer with a secret is not kept: the same request
//     is a 409 then.
//
// Every operation needs a role, which the document names as x-required-role.
package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/secrets"
)

// Config is what the API works with.
type Config struct {
	Service    *scaler.Service
	Operations *operation.Registry
	// Backtests runs backtests; without it there are none.
	Backtests *Backtests
	// Guard keeps users and tokens; without it they can't be changed.
	Guard *access.Guard
	// Credentials keeps the clouds' credentials; without it they can't be changed.
	Credentials *secrets.Store
	// Audit is the folder of the audit log; without it there is none to read.
	Audit string
	// Version is the daemon's own.
	Version string
}

// Handler serves the API. Who makes a request is in its context, see access.With;
// nobody may do anything.
func Handler(c Config) http.Handler {
	mux := http.NewServeMux()
	api := newAPI(mux, c.Version)
	api.UseMiddleware(authorize(api), wholeBody(api))
	registerHealth(api, c)
	registerApplications(api, applications{c.Service, c.Operations, &statusPages{}, &statusPages{states: encodings{shorten: brief}}})
	registerGroups(api, groups{c.Service, c.Operations})
	registerDecisions(api, decisions{c.Service})
	registerOrphans(api, c.Service)
	registerDrift(api, groups{c.Service, c.Operations})
	registerOperations(api, operations{c.Operations})
	registerOptimizers(api, optimizers{service: c.Service})
	registerGroupOptimizers(api, optimizers{service: c.Service})
	if c.Backtests != nil {
		registerBacktests(api, c.Backtests)
	}
	if c.Guard != nil {
		registerAccounts(api, accounts{c.Guard})
	}
	if c.Credentials != nil {
		registerCredentials(api, logins{c.Service, c.Credentials})
	}
	if c.Audit != "" {
		registerAudit(api, auditing{c.Audit})
	}
	return newRepeats().handler(unmatched(mux))
}

func newAPI(mux *http.ServeMux, version string) huma.API {
	config := huma.DefaultConfig("scalerd", version)
	config.DocsPath = "" // the viewer would load scripts from elsewhere
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":    {Type: "http", Scheme: "bearer"},
		"password": {Type: "http", Scheme: "basic"},
		"session":  {Type: "apiKey", In: "cookie", Name: access.CookieName},
	}
	api := humago.New(mux, config)
	// A problem may say more, by RFC 9457: access says what is wrong in MiCADO's form too.
	schemas := api.OpenAPI().Components.Schemas
	schemas.SchemaFromRef(schemas.Schema(reflect.TypeFor[huma.ErrorModel](), true, "").Ref).AdditionalProperties = true
	return api
}

// roleKey is where an operation's metadata hold its role; readsKey and secretKey are
// for reads and secret.
const (
	roleKey   = "role"
	readsKey  = "reads"
	secretKey = "secret"
)

const (
	maxBody = 8 << 20
	// readTimeout bounds the time that a client takes to send a body.
	readTimeout = 30 * time.Second
)

// endpoint is an operation that needs a role.
func endpoint(role access.Role, method, path, id, summary string, more ...func(*huma.Operation)) huma.Operation {
	name := []string{role.String()}
	o := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody, BodyReadTimeout: readTimeout,
		Metadata:   map[string]any{roleKey: role},
		Extensions: map[string]any{"x-required-role": role.String()},
		Security:   []map[string][]string{{"token": name}, {"password": name}, {"session": name}},
	}
	for _, change := range more {
		change(&o)
	}
	return o
}

// reads says that an operation gives no order although its method would: the audit log
// does not have it.
func reads(o *huma.Operation) { o.Metadata[readsKey] = true }

// secret says that what is sent to an operation can hold passwords.
func secret(o *huma.Operation) { o.Metadata[secretKey] = true }

// tagged puts operations under a heading of the document.
func tagged(tag string) func(*huma.Operation) {
	return func(o *huma.Operation) { o.Tags = []string{tag} }
}

// accepted makes an operation answer 202.
func accepted(o *huma.Operation) { o.DefaultStatus = http.StatusAccepted }

// body is a response, or a request, with a JSON body.
type body[T any] struct{ Body T }

// register adds an operation that answers JSON.
func register[I, O any](api huma.API, o huma.Operation, handle func(context.Context, *I) (O, error)) {
	serve(api, o, func(ctx context.Context, in *I) (*body[O], error) {
		out, err := handle(ctx, in)
		return &body[O]{out}, err
	})
}

// serve adds an operation whose errors become problem documents.
func serve[I, O any](api huma.API, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return out, nil
	})
}

// authorize lets in who has the role that the operation needs, for the application
// that its path names. An operation without a role is nobody's.
func authorize(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		who := access.Principal(ctx.Context())
		role, ok := ctx.Operation().Metadata[roleKey].(access.Role)
		audit.Describe(ctx.Context(), about(ctx))
		refuse := func(status int, message string) {
			// What was refused already can't be refused better.
			_ = huma.WriteErr(api, ctx, status, message)
		}
		switch app := ctx.Param("application"); {
		case who.Role == access.Nobody:
			for _, challenge := range access.Challenges {
				ctx.AppendHeader("WWW-Authenticate", challenge)
			}
			refuse(http.StatusUnauthorized, "say who you are: with a token, or a user's name and password")
		case !ok || role == access.Nobody || who.Role < role:
			refuse(http.StatusForbidden, who.Name+" has the role "+who.Role.String()+", and this needs the role "+role.String())
		case app != "" && !who.Sees(app):
			refuse(http.StatusForbidden, who.Name+" may not use application "+app)
		default:
			next(ctx)
		}
	}
}

// about is what the audit log says of a request.
func about(ctx huma.Context) audit.Request {
	o := ctx.Operation()
	r := audit.Request{Action: o.OperationID, Reads: o.Metadata[readsKey] != nil, Secret: o.Metadata[secretKey] != nil}
	var parts []string
	for _, name := range []string{"application", "group", "optimizer", "type", "name", "id"} {
		if value := ctx.Param(name); value != "" {
			parts = append(parts, value)
		}
	}
	r.Target = strings.Join(parts, "/")
	if query := known(ctx); len(query) > 0 {
		r.Target += "?" + query.Encode()
	}
	return r
}

// known is a request's query without what the operation has no parameter for, which may
// be anything, and a secret too.
func known(ctx huma.Context) url.Values {
	u, query := ctx.URL(), url.Values{}
	for name, values := range u.Query() {
		if slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name }) {
			query[name] = values
		}
	}
	return query
}

// visible leaves out what is of applications that the caller may not see.
func visible[T any](ctx context.Context, all []T, application func(T) string) []T {
	who := access.Principal(ctx)
	if !who.Bounded() {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !who.Sees(application(one)) })
}

// mayUse refuses an application that the caller may not see.
func mayUse(ctx context.Context, application string) error {
	if who := access.Principal(ctx); !who.Sees(application) {
		// It does not say which one it is, because an ID may have led there.
		return huma.Error403Forbidden(who.Name + " may use only " + strings.Join(who.Applications, ", "))
	}
	return nil
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/scaler/secrets"
)

// logins are the handlers for the clouds' credentials.
type logins struct {
	service *scaler.Service
	store   *secrets.Store
}

func registerCredentials(api huma.API, h logins) {
	const root, one = "/v1/credentials", "/v1/credentials/{type}/{name}"
	tag := tagged("credentials")
	register(api, endpoint(access.Admin, http.MethodGet, root, "list-credentials", "The clouds' credentials, without their values.", tag), h.list)
	register(api, endpoint(access.Admin, http.MethodPut, one, "put-credentials", "Add credentials, or replace those of this type and name; the name default is that of those without one. Terraform's next run uses them.", tag, secret, describes[NewCredentials](api)), h.put)
	register(api, endpoint(access.Admin, http.MethodDelete, one, "remove-credentials", "Remove credentials.", tag), h.remove)
	register(api, endpoint(access.Admin, http.MethodPost, one+"/test", "test-credentials", "Log in with credentials: terraform looks at what exists in a shard of a group that uses them.", tag), h.test)
	register(api, endpoint(access.Admin, http.MethodPost, root+"/rotation", "rotate-credentials", "Encrypt all credentials with a new key, and a new passphrase where one is given.", tag, secret, describes[Rotation](api)), h.rotate)
}

// ListedCredentials are credentials without their values.
type ListedCredentials struct {
	secrets.Listed
	UsedBy []string `json:"used_by" doc:"APPLICATION/GROUP of the groups that use them."`
}

func (h logins) list(ctx context.Context, in *PageInput) (Page[ListedCredentials], error) {
	list, err := h.store.List(ctx)
	if err != nil {
		return Page[ListedCredentials]{}, err
	}
	uses, err := h.service.LoginUses()
	if err != nil {
		return Page[ListedCredentials]{}, err
	}
	all := make([]ListedCredentials, len(list))
	for i, l := range list {
		all[i] = ListedCredentials{l, []string{}}
		for _, use := range uses {
			if use.Cloud == l.For && slices.Contains(namesOf(list, l), use.Name) {
				all[i].UsedBy = append(all[i].UsedBy, use.Application+"/"+use.Group)
			}
		}
	}
	return paged(all, *in, func(l ListedCredentials) string { return l.Type + "\x00" + l.Name + "\x00" + l.In })
}

// namesOf are the names by which groups use an entry: the cloud's first one without a
// name too.
func namesOf(list []secrets.Listed, l secrets.Listed) []string {
	names := []string{l.Name}
	first := slices.IndexFunc(list, func(other secrets.Listed) bool { return other.For == l.For })
	named := slices.ContainsFunc(list, func(other secrets.Listed) bool { return other.For == l.For && other.Name == secrets.Default })
	if l.Name == secrets.Default || !named && list[first].Name == l.Name {
		names = append(names, "")
	}
	return names
}

type credentialsPath struct {
	Type string `path:"type" doc:"ec2, openstack, azure, module or backend."`
	Name string `path:"name" maxLength:"64"`
}

// credentialsInput takes the body as it is: huma's own messages repeat what was sent.
type credentialsInput struct {
	Type    string `path:"type" doc:"ec2, openstack, azure, module or backend."`
	Name    string `path:"name" maxLength:"64"`
	RawBody []byte `contentType:"application/json"`
}

// NewCredentials is what credentials are to be.
type NewCredentials struct {
	AuthData map[string]string `json:"auth_data" doc:"The values by key, as in a credentials file."`
}

// describes says what is in a body that is taken as it is.
func describes[T any](api huma.API) func(*huma.Operation) {
	return func(o *huma.Operation) {
		schema := huma.SchemaFromType(api.OpenAPI().Components.Schemas, reflect.TypeFor[T]())
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
		o.SkipValidateBody = true
	}
}

// taken is what was set.
type taken struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

func (h logins) put(ctx context.Context, in *credentialsInput) (taken, error) {
	var body NewCredentials
	dec := json.NewDecoder(bytes.NewReader(in.RawBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		return taken{}, fmt.Errorf(`%w: the body has to be {"auth_data": {KEY: TEXT, ...}}`, secrets.ErrInvalid)
	}
	return taken{in.Type, in.Name}, h.store.Set(ctx, credentials.Entry{Type: in.Type, Name: in.Name, AuthData: body.AuthData})
}

func (h logins) remove(ctx context.Context, in *credentialsPath) (Removed, error) {
	return Removed{in.Type + "/" + in.Name}, h.store.Remove(ctx, in.Type, in.Name)
}

func (h logins) test(ctx context.Context, in *credentialsPath) (scaler.Tried, error) {
	e, err := h.store.Entry(ctx, in.Type, in.Name)
	if err != nil {
		return scaler.Tried{}, err
	}
	list, err := h.store.List(ctx)
	if err != nil {
		return scaler.Tried{}, err
	}
	names := []string{in.Name}
	for _, l := range list {
		if l.For == e.Cloud() && l.Name == in.Name {
			names = namesOf(list, l)
		}
	}
	tried, err := h.service.TryLogin(ctx, e.Cloud(), names...)
	if err != nil {
		return tried, fmt.Errorf("%w: %w", secrets.ErrRefused, err)
	}
	return tried, nil
}

type rotationInput struct {
	RawBody []byte `contentType:"application/json"`
}

// Rotated says what is left to do.
type Rotated struct {
	Message string `json:"message"`
}

// Rotation is how credentials are to be encrypted anew.
type Rotation struct {
	Passphrase string `json:"passphrase,omitempty"`
}

func (h logins) rotate(ctx context.Context, in *rotationInput) (Rotated, error) {
	var body Rotation
	if json.Unmarshal(in.RawBody, &body) != nil {
		return Rotated{}, fmt.Errorf(`%w: the body has to be {"passphrase": TEXT}, or {} for a new key`, secrets.ErrInvalid)
	}
	message, err := h.store.Rotate(ctx, body.Passphrase)
	return Rotated{message}, err
}

// Credentials are the clouds' credentials, without their values.
func (c *Client) Credentials(ctx context.Context) ([]ListedCredentials, error) {
	return pages[ListedCredentials](ctx, c, nil, 0, "v1", "credentials")
}

// SetCredentials adds credentials, or replaces those of this type and name.
func (c *Client) SetCredentials(ctx context.Context, kind, name string, data map[string]string) error {
	_, err := call[taken](ctx, c, http.MethodPut, nil, NewCredentials{data}, "v1", "credentials", kind, name)
	return err
}

// RemoveCredentials removes credentials.
func (c *Client) RemoveCredentials(ctx context.Context, kind, name string) error {
	_, err := call[Removed](ctx, c, http.MethodDelete, nil, nil, "v1", "credentials", kind, name)
	return err
}

// TestCredentials logs in with credentials.
func (c *Client) TestCredentials(ctx context.Context, kind, name string) (scaler.Tried, error) {
	return call[scaler.Tried](ctx, c, http.MethodPost, nil, nil, "v1", "credentials", kind, name, "test")
}

// RotateCredentials encrypts all credentials anew, with a new passphrase where it is not
// empty, and returns what is left to do.
func (c *Client) RotateCredentials(ctx context.Context, passphrase string) (string, error) {
	r, err := call[Rotated](ctx, c, http.MethodPost, nil, Rotation{passphrase}, "v1", "credentials", "rotation")
	return r.Message, err
}

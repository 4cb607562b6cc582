// Package plugin serves Terraform's provider protocol from a simulated cloud: the
// recorded schemas of aws, openstack and azurerm, and behind them the resources
// that [github.com/scalerd/scalerd/tfgen/simcloud] keeps.
package plugin

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/schema"
	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// Serve is the life of a provider process whose file is named program. It returns
// when Terraform ends the process's standard input, or at once where the name
// belongs to no provider.
func Serve(program string, env func(string) string) error {
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(program), "terraform-provider-"), "_v")
	server, err := New(name, env)
	if err != nil {
		return fmt.Errorf("start as %s: %w", filepath.Base(program), err)
	}
	return tf6server.Serve(server.schema.Source, func() tfprotov6.ProviderServer { return server },
		tf6server.WithoutLogStderrOverride())
}

// Server answers Terraform for one provider. After ConfigureProvider nothing in it
// changes but the memory of decoded schemas, so calls may run side by side.
type Server struct {
	schema *schema.Provider
	env    func(string) string
	kinds  map[string]*kind
	data   map[string]lookup

	cloud   *simcloud.Cloud
	account account

	mu     sync.Mutex
	blocks map[string]decoded // so far; data sources with the prefix "data."
}

// decoded is a schema with its type, which takes longer to make than a call may.
type decoded struct {
	block *tfjson.SchemaBlock
	ty    cty.Type
}

// account is what a provider block with its credentials opens.
type account struct {
	name        string            // as in simcloud.Resource.Account
	region      string            // AWS and OpenStack
	number      string            // AWS's account number, Azure's subscription
	tenant      string            // Azure's tenant, OpenStack's project
	defaultTags map[string]string // AWS
	// in gives the account's name in another region (AWS resources may choose one).
	in func(region string) string
}

// New returns the server of the provider of that name, one of [schema.Names], for a
// process with that environment.
func New(name string, env func(string) string) (*Server, error) {
	p, err := schema.Read(name)
	if err != nil {
		return nil, err
	}
	s := &Server{schema: p, env: env, blocks: map[string]decoded{}}
	switch name {
	case "aws":
		s.kinds, s.data = awsKinds(), awsLookups()
	case "openstack":
		s.kinds, s.data = openstackKinds(), openstackLookups()
	case "azurerm":
		s.kinds, s.data = azureKinds(), azureLookups()
	}
	return s, nil
}

// resource gives the schema, the type and the behaviour of a resource type.
func (s *Server) resource(typ string) (*tfjson.SchemaBlock, cty.Type, *kind, error) {
	found, err := s.memo(typ, func() (*tfjson.Schema, error) { return s.schema.Resource(typ) })
	if err != nil {
		return nil, cty.NilType, nil, err
	}
	k := s.kinds[typ]
	if k == nil {
		k = &kind{}
	}
	return found.block, found.ty, k, nil
}

func (s *Server) dataSource(typ string) (*tfjson.SchemaBlock, cty.Type, error) {
	found, err := s.memo("data."+typ, func() (*tfjson.Schema, error) { return s.schema.DataSource(typ) })
	if err != nil {
		return nil, cty.NilType, err
	}
	return found.block, found.ty, nil
}

func (s *Server) memo(key string, read func() (*tfjson.Schema, error)) (decoded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.blocks[key]; ok {
		return found, nil
	}
	found, err := read()
	if err != nil {
		return decoded{}, err
	}
	s.blocks[key] = decoded{found.Block, schema.Type(found.Block)}
	return s.blocks[key], nil
}

// GetMetadata lists the types; Terraform itself asks for the schema instead.
func (s *Server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	out := &tfprotov6.GetMetadataResponse{ServerCapabilities: capabilities()}
	for _, typ := range s.schema.ResourceTypes() {
		out.Resources = append(out.Resources, tfprotov6.ResourceMetadata{TypeName: typ})
	}
	for _, typ := range s.schema.DataSourceTypes() {
		out.DataSources = append(out.DataSources, tfprotov6.DataSourceMetadata{TypeName: typ})
	}
	return out, nil
}

func capabilities() *tfprotov6.ServerCapabilities {
	// Of the several processes of one terraform run only the first is asked for its schema.
	return &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}
}

// GetProviderSchema gives the whole schema.
func (s *Server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	out := &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities: capabilities(),
		ResourceSchemas:    map[string]*tfprotov6.Schema{},
		DataSourceSchemas:  map[string]*tfprotov6.Schema{},
	}
	config, err := s.schema.Config()
	if err != nil {
		return nil, err
	}
	out.Provider = wireSchema(config)
	for _, typ := range s.schema.ResourceTypes() {
		found, err := s.schema.Resource(typ)
		if err != nil {
			return nil, err
		}
		out.ResourceSchemas[typ] = wireSchema(found)
	}
	for _, typ := range s.schema.DataSourceTypes() {
		found, err := s.schema.DataSource(typ)
		if err != nil {
			return nil, err
		}
		out.DataSourceSchemas[typ] = wireSchema(found)
	}
	return out, nil
}

// GetResourceIdentitySchemas says that resources are known by their id only.
func (s *Server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

// ValidateProviderConfig accepts what Terraform has checked against the schema.
func (s *Server) ValidateProviderConfig(_ context.Context, in *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: in.Config}, nil
}

// ConfigureProvider opens the cloud and the account, checking that credentials are
// there as the real provider would.
func (s *Server) ConfigureProvider(_ context.Context, in *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	found, err := s.schema.Config()
	if err != nil {
		return nil, err
	}
	config, err := decode(in.Config, schema.Type(found.Block))
	if err != nil {
		return nil, err
	}
	if s.account, err = s.open(open(config)); err != nil {
		return &tfprotov6.ConfigureProviderResponse{Diagnostics: failure(err)}, nil
	}
	if s.cloud, err = simcloud.Open(s.env(simcloud.Variable)); err != nil {
		return &tfprotov6.ConfigureProviderResponse{Diagnostics: failure(err)}, nil
	}
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (s *Server) open(config *object) (account, error) {
	switch s.schema.Name {
	case "aws":
		return openAWS(config, s.env)
	case "openstack":
		return openOpenStack(config, s.env)
	}
	return openAzure(config, s.env)
}

// StopProvider lets the waits end; the protocol's server cancels their contexts.
func (s *Server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

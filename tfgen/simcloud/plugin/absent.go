package plugin

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// The parts of the protocol that the providers' machines have no use for.

// MoveResourceState refuses: no type took over another's state.
func (s *Server) MoveResourceState(_ context.Context, in *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	err := fmt.Errorf("move %s to %s: not possible between these types", in.SourceTypeName, in.TargetTypeName)
	return &tfprotov6.MoveResourceStateResponse{Diagnostics: failure(err)}, nil
}

// UpgradeResourceIdentity refuses: resources have no identity but their id.
func (s *Server) UpgradeResourceIdentity(_ context.Context, in *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	err := fmt.Errorf("upgrade identity of %s: it has none", in.TypeName)
	return &tfprotov6.UpgradeResourceIdentityResponse{Diagnostics: failure(err)}, nil
}

// GenerateResourceConfig leaves it to Terraform, which makes a configuration from
// the state where the provider's capabilities do not claim it.
func (s *Server) GenerateResourceConfig(_ context.Context, in *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	err := fmt.Errorf("generate configuration of %s: this provider leaves it to Terraform", in.TypeName)
	return &tfprotov6.GenerateResourceConfigResponse{Diagnostics: failure(err)}, nil
}

// GetFunctions lists none.
func (s *Server) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{}, nil
}

// CallFunction refuses: there are none.
func (s *Server) CallFunction(_ context.Context, in *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	return &tfprotov6.CallFunctionResponse{Error: &tfprotov6.FunctionError{Text: "no function " + in.Name}}, nil
}

// ValidateEphemeralResourceConfig refuses: there are no ephemeral resources.
func (s *Server) ValidateEphemeralResourceConfig(_ context.Context, in *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{Diagnostics: failure(noEphemeral(in.TypeName))}, nil
}

// OpenEphemeralResource refuses.
func (s *Server) OpenEphemeralResource(_ context.Context, in *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	return &tfprotov6.OpenEphemeralResourceResponse{Diagnostics: failure(noEphemeral(in.TypeName))}, nil
}

// RenewEphemeralResource refuses.
func (s *Server) RenewEphemeralResource(_ context.Context, in *tfprotov6.RenewEphemeralResourceRequest) (*tfprotov6.RenewEphemeralResourceResponse, error) {
	return &tfprotov6.RenewEphemeralResourceResponse{Diagnostics: failure(noEphemeral(in.TypeName))}, nil
}

// CloseEphemeralResource refuses.
func (s *Server) CloseEphemeralResource(_ context.Context, in *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{Diagnostics: failure(noEphemeral(in.TypeName))}, nil
}

func noEphemeral(typ string) error { return fmt.Errorf("no ephemeral resource %s", typ) }

package credentials_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const micado = `resource:
- type: ec2
  auth_data:
    accesskey: AKIAFIRST
    secretkey: first-secret
- type: ec2
  name: second
  auth_data: {accesskey: AKIASECOND, secretkey: second-secret}
- type: nova
  auth_data:
    username: me
    password: os-secret
    domain_name: Default
    application_credential_id: ""
- type: azure
  auth_data: {subscription_id: sub, client_id: id, client_secret: az-secret, tenant_id: ten, admin_password: win-secret}
- type: module
  name: google
  auth_data: {GOOGLE_CREDENTIALS: g-secret}
`

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth_data.yaml")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindReadsMiCADOsLayout(t *testing.T) {
	path := write(t, micado, 0o600)
	for _, tt := range []struct {
		does  string
		cloud spec.Cloud
		name  string
		want  scaler.Credentials
	}{
		{"takes the first entry of the cloud", spec.CloudEC2, "", scaler.Credentials{
			Env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAFIRST", "AWS_SECRET_ACCESS_KEY": "first-secret"}, Replaces: []string{"AWS_"}, Variables: map[string]string{}}},
		{"takes the named entry", spec.CloudEC2, "second", scaler.Credentials{
			Env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIASECOND", "AWS_SECRET_ACCESS_KEY": "second-secret"}, Replaces: []string{"AWS_"}, Variables: map[string]string{}}},
		{"leaves out empty values", spec.CloudOpenStack, "", scaler.Credentials{
			Env: map[string]string{"OS_USERNAME": "me", "OS_PASSWORD": "os-secret", "OS_DOMAIN_NAME": "Default"}, Replaces: []string{"OS_"}, Variables: map[string]string{}}},
		{"hands a Windows password on as a variable", spec.CloudAzure, "", scaler.Credentials{
			Env: map[string]string{"ARM_SUBSCRIPTION_ID": "sub", "ARM_TENANT_ID": "ten", "ARM_CLIENT_ID": "id", "ARM_CLIENT_SECRET": "az-secret"}, Replaces: []string{"ARM_"},
			Variables: map[string]string{"admin_password": "win-secret"}}},
		{"hands variables on to a module", spec.CloudModule, "google", scaler.Credentials{
			Env: map[string]string{"GOOGLE_CREDENTIALS": "g-secret"}, Variables: map[string]string{}}},
		{"has nothing for a cloud without an entry", spec.CloudLocal, "", scaler.Credentials{}},
	} {
		t.Run(tt.does, func(t *testing.T) {
			got, err := credentials.Find(path, tt.cloud, tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Find() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindSaysWhatIsWrongAndNoSecret(t *testing.T) {
	good := write(t, micado, 0o600)
	for _, tt := range []struct {
		name, path, entry string
		cloud             spec.Cloud
		want              string
	}{
		{"a name without a file", "", "x", spec.CloudEC2, "scalerd has no credentials of this name"},
		{"a missing file", filepath.Join(t.TempDir(), "none"), "", spec.CloudEC2, "is not there"},
		{"a name that is not in the file", good, "third", spec.CloudEC2, "no entry with type ec2 and name third"},
		{"a file that others can read", write(t, micado, 0o644), "", spec.CloudEC2, "run chmod 600"},
		{"an unknown cloud", write(t, "resource: [{type: moon, auth_data: {a: s3cret}}]", 0o600), "", spec.CloudEC2, `:1:13 resource[0].type: is "moon"`},
		{"an unknown key", write(t, "resource: [{type: ec2, auth_data: {key: s3cret}}]", 0o600), "", spec.CloudEC2, "auth_data.key: is not a known key; known are accesskey"},
		{"a federated login", write(t, "resource: [{type: nova, auth_data: {access_token: s3cret}}]", 0o600), "", spec.CloudOpenStack, "application credential"},
		{"an entry without values", write(t, "resource: [{type: ec2, auth_data: {accesskey: ''}}]", 0o600), "", spec.CloudEC2, "has no value"},
		{"a variable in small letters", write(t, "resource: [{type: module, auth_data: {key: s3cret}}]", 0o600), "", spec.CloudModule, "capital letters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := credentials.Find(tt.path, tt.cloud, tt.entry)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Find() = %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

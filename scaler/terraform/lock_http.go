package terraform

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/scalerd/scalerd/tfgen"
)

// Terraform's http backend tells the identifier alone of who holds a lock. Its server
// answers with all that the holder said of itself, as Terraform's documentation of
// that backend demands, so it is asked by an attempt to take the lock.

// operationAsk is what such an attempt says of itself: one that succeeds, and whose
// scalerd is killed before it gives the lock back, is known as ours like any other.
const operationAsk = "scalerd-asks-who-holds-the-lock"

// holderTimeout bounds a question to the server of an http backend.
const holderTimeout = 10 * time.Second

// holder adds what the server of an http backend tells of a lock's holder. The
// information is as it was where nothing more is told. asked is not nil where the
// question itself may have left the lock held.
func (r *Runner) holder(tf driver, info lockInfo) (told lockInfo, asked *run) {
	server, err := newLockServer(tf, r.outbound)
	begun := time.Now()
	if err != nil || beginRun(tf.dir, operationAsk) != nil {
		return info, nil
	}
	told, holds, err := server.ask()
	if holds {
		asked = &run{Operation: operationAsk, Begun: begun}
	}
	if err != nil || told.id != info.id {
		told = info
	}
	return told, asked
}

// lockServer is what a root module's http backend locks at.
type lockServer struct {
	client         http.Client
	setting        func(name string) string
	lock, unlock   string
	taking, giving string
}

// lockFields is Terraform's lock information.
type lockFields struct {
	ID, Operation, Info, Who, Version string
	Created                           time.Time
	Path                              string
}

// Outbound says which hosts that a description names may be called by this process. Dial
// makes the connections of what Transport makes requests by.
type Outbound interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Transport(next http.RoundTripper) http.RoundTripper
}

// newLockServer reads the backend of a root module; without an outbound policy the server
// may be anywhere.
func newLockServer(tf driver, outbound Outbound) (*lockServer, error) {
	config, err := backendConfig(filepath.Join(tf.dir, tfgen.BackendFile), "http")
	if err != nil {
		return nil, err
	}
	s := &lockServer{setting: func(name string) string {
		if value, ok := config[name]; ok {
			return value
		}
		return tf.env[httpVariables[name]]
	}}
	s.client.Timeout = holderTimeout
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.lock, s.unlock = s.setting("lock_address"), s.setting("unlock_address")
	if s.lock == "" || s.unlock == "" {
		return nil, errors.New("the backend does not lock")
	}
	s.taking, s.giving = s.setting("lock_method"), s.setting("unlock_method")
	if s.taking == "" {
		s.taking = "LOCK"
	}
	if s.giving == "" {
		s.giving = "UNLOCK"
	}
	secure, err := s.tls()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure, DisableKeepAlives: true}
	s.client.Transport = transport
	if outbound != nil {
		transport.DialContext = outbound.Dial
		s.client.Transport = outbound.Transport(transport)
	}
	return s, nil
}

// httpVariables are the environment variables that stand in for arguments of the http
// backend.
var httpVariables = map[string]string{
	"lock_address": "TF_HTTP_LOCK_ADDRESS", "lock_method": "TF_HTTP_LOCK_METHOD",
	"unlock_address": "TF_HTTP_UNLOCK_ADDRESS", "unlock_method": "TF_HTTP_UNLOCK_METHOD",
	"username": "TF_HTTP_USERNAME", "password": "TF_HTTP_PASSWORD",
	"client_ca_certificate_pem": "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM",
	"client_certificate_pem":    "TF_HTTP_CLIENT_CERTIFICATE_PEM",
	"client_private_key_pem":    "TF_HTTP_CLIENT_PRIVATE_KEY_PEM",
}

func (s *lockServer) tls() (*tls.Config, error) {
	secure := &tls.Config{InsecureSkipVerify: s.setting("skip_cert_verification") == "true"} // as the user has terraform do
	if ca := s.setting("client_ca_certificate_pem"); ca != "" {
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, errors.New("client_ca_certificate_pem of the backend is no certificate")
		}
	}
	if certificate := s.setting("client_certificate_pem"); certificate != "" {
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(s.setting("client_private_key_pem")))
		if err != nil {
			return nil, fmt.Errorf("client_certificate_pem of the backend: %w", err)
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return secure, nil
}

// ask tries to take the lock and returns what its holder said. Where it is free by
// now it is given back, and the answer is an error. holds is set where this attempt
// may hold it still, because it could not be given back or nobody answered.
func (s *lockServer) ask() (told lockInfo, holds bool, err error) {
	ours, err := json.Marshal(lockFields{ID: rand.Text(), Operation: operationAsk, Who: whoami(), Created: time.Now().UTC()})
	if err != nil {
		return lockInfo{}, false, err
	}
	status, answer, err := s.send(s.taking, s.lock, ours)
	switch {
	case status == http.StatusOK: // with or without all of its answer
		status, _, err := s.send(s.giving, s.unlock, ours)
		return lockInfo{}, err != nil || status != http.StatusOK, errors.Join(errors.New("the lock is free"), err)
	case err != nil:
		return lockInfo{}, true, err
	case status != http.StatusLocked && status != http.StatusConflict:
		return lockInfo{}, status >= http.StatusInternalServerError, fmt.Errorf("the server of the backend answers with status %d", status)
	}
	var held lockFields
	if err := json.Unmarshal(answer, &held); err != nil {
		return lockInfo{}, false, fmt.Errorf("lock information: %w", err)
	}
	return lockInfo{id: held.ID, who: held.Who, operation: held.Operation, created: held.Created}, false, nil
}

// mostAnswer bounds a server's answer, in bytes.
const mostAnswer = 1 << 16

func (s *lockServer) send(method, address string, body []byte) (status int, answer []byte, err error) {
	request, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("ask the backend who holds the lock: %w", err)
	}
	if user := s.setting("username"); user != "" {
		request.SetBasicAuth(user, s.setting("password"))
	}
	sum := md5.Sum(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the backend who holds the lock: %w", err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	return response.StatusCode, answer, err
}

// backendConfig reads the arguments of a backend of that type from a file that was
// generated: all are literals. Those that are no single value are left out.
func backendConfig(path, kind string) (map[string]string, error) {
	file, diagnostics := hclparse.NewParser().ParseHCLFile(path)
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	body, _ := file.Body.(*hclsyntax.Body)
	for _, settings := range body.Blocks {
		for _, backend := range settings.Body.Blocks {
			if settings.Type == "terraform" && backend.Type == "backend" && backend.Labels[0] == kind {
				return literals(backend.Body.Attributes), nil
			}
		}
	}
	return nil, fmt.Errorf("%s has no backend %s", path, kind)
}

func literals(attributes hclsyntax.Attributes) map[string]string {
	values := map[string]string{}
	for name, attribute := range attributes {
		value, diagnostics := attribute.Expr.Value((*hcl.EvalContext)(nil))
		if diagnostics.HasErrors() {
			continue
		}
		if text, err := convert.Convert(value, cty.String); err == nil && !text.IsNull() && text.IsKnown() {
			values[name] = text.AsString()
		}
	}
	return values
}

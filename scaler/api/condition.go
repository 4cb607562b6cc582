package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
)

// etag names the version of what a client can change of an application: its
// description and its pause, not what it does.
func etag(stored scaler.StoredApplication) string {
	h := sha256.New()
	// The fields are of types that can always be encoded.
	_ = json.NewEncoder(h).Encode(stored)
	return `"` + hex.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// ConditionInput are the headers of a conditional change. It is exported because
// huma looks into exported embedded structs only.
type ConditionInput struct {
	IfMatch     string `header:"If-Match" doc:"ETag of the application's version that is to be changed; * for any."`
	IfNoneMatch string `header:"If-None-Match" doc:"* to make a new application only."`
}

// condition is scaler.ErrChanged where the application is not as it should be.
func (in ConditionInput) condition(stored scaler.StoredApplication, exists bool) error {
	if in.IfNoneMatch != "" && exists && (in.IfNoneMatch == "*" || matches(in.IfNoneMatch, stored)) {
		return fmt.Errorf("application %s exists: %w", stored.Name, scaler.ErrChanged)
	}
	if in.IfMatch == "" {
		return nil
	}
	if !exists {
		return fmt.Errorf("application %s does not exist: %w", stored.Name, scaler.ErrChanged)
	}
	if in.IfMatch != "*" && !matches(in.IfMatch, stored) {
		return fmt.Errorf("application %s is of version %s, not of %s; read it again: %w", stored.Name, etag(stored), in.IfMatch, scaler.ErrChanged)
	}
	return nil
}

func matches(header string, stored scaler.StoredApplication) bool {
	tags := strings.Split(header, ",")
	return slices.ContainsFunc(tags, func(tag string) bool { return strings.TrimSpace(tag) == etag(stored) })
}

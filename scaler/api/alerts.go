package api

import (
	"context"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// notification is what an Alertmanager posts to a webhook; what is not used of it
// is ignored.
type notification struct {
	_      struct{} `json:"-" additionalProperties:"true"`
	Alerts []struct {
		_           struct{}          `json:"-" additionalProperties:"true"`
		Status      string            `json:"status" enum:"firing,resolved"`
		Labels      map[string]string `json:"labels"`
		StartsAt    time.Time         `json:"startsAt,omitempty"`
		EndsAt      time.Time         `json:"endsAt,omitempty"`
		Fingerprint string            `json:"fingerprint,omitempty"`
	} `json:"alerts"`
}

// Received is the answer to a notification.
type Received struct {
	// Taken counts the alerts that an application receives.
	Taken int `json:"taken"`
	// Ignored are the names of those that none does.
	Ignored []string `json:"ignored,omitempty"`
}

// alertHandlers take an Alertmanager's notifications.
type alertHandlers struct{ service *scaler.Service }

func (h alertHandlers) take(ctx context.Context, in *body[notification]) (Received, error) {
	who := access.Principal(ctx)
	var alerts []scaler.NotifiedAlert
	for _, a := range in.Body.Alerts {
		if who.Bounded() && !who.Sees(a.Labels["application"]) {
			return Received{}, huma.Error403Forbidden(who.Name + " may only tell of alerts with the label application, of: " + strings.Join(who.Applications, ", "))
		}
		alerts = append(alerts, scaler.NotifiedAlert{
			Name: a.Labels["alertname"], Application: a.Labels["application"], Group: a.Labels["group"],
			Firing: a.Status == "firing", Key: a.Fingerprint, Since: a.StartsAt, Ends: a.EndsAt,
		})
	}
	taken, ignored, err := h.service.Notify(ctx, alerts)
	return Received{taken, ignored}, err
}

package api

import (
	"context"
	"time"

	"github.com/scalerd/scalerd/scaler"
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

func (h handlers) alerts(ctx context.Context, in *body[notification]) (Received, error) {
	alerts := make([]scaler.NotifiedAlert, len(in.Body.Alerts))
	for i, a := range in.Body.Alerts {
		alerts[i] = scaler.NotifiedAlert{
			Name: a.Labels["alertname"], Application: a.Labels["application"], Group: a.Labels["group"],
			Firing: a.Status == "firing", Key: a.Fingerprint, Since: a.StartsAt, Ends: a.EndsAt,
		}
	}
	taken, ignored, err := h.service.Notify(ctx, alerts)
	return Received{taken, ignored}, err
}

package backtest

import (
	"fmt"
	"math"
	"time"
)

// The defaults of Kubernetes' HorizontalPodAutoscaler.
const (
	hpaTolerance     = 0.1
	hpaStabilisation = 5 * time.Minute
	hpaLeastStep     = 4 // pods that one step may add, even where that more than doubles
)

// hpa is Kubernetes' HorizontalPodAutoscaler, autoscaling/v2, on a CPU target in
// percent with the default behaviour: no answer to a deviation of 10 %, scale-out
// at once to at most twice the size or 4 more, scale-in to the largest size asked
// for in the last 5 minutes. Nodes that are not ready yet count as idle where the
// others ask for more, and not at all where they ask for fewer
// (pkg/controller/podautoscaler/replica_calculator.go).
type hpa struct {
	target float64
	asked  []wish
}

// wish is a size that was asked for at an instant.
type wish struct {
	at time.Time
	n  int
}

// HPA makes the policy.
func HPA(target float64) Maker {
	return func(Group) (Policy, error) { return &hpa{target: target}, nil }
}

func (h *hpa) Name() string { return fmt.Sprintf("hpa%g", h.target) }

func (h *hpa) Decide(now time.Time, obs Observation) int {
	total := obs.Total()
	n := total
	if cpu, ok := obs.Metrics[MetricCPU]; ok {
		n = h.replicas(cpu, obs.Ready, total)
	}
	h.asked = append(h.asked, wish{now, n})
	for len(h.asked) > 1 && now.Sub(h.asked[0].at) > hpaStabilisation {
		h.asked = h.asked[1:]
	}
	if n >= total {
		return min(n, max(2*total, total+hpaLeastStep))
	}
	for _, a := range h.asked {
		n = max(n, a.n)
	}
	return min(n, total)
}

// replicas is the size that the formula asks for.
func (h *hpa) replicas(cpu float64, ready, total int) int {
	ratio := cpu / h.target
	if ratio <= 1 || ready == total {
		if math.Abs(ratio-1) <= hpaTolerance {
			return total
		}
		return int(math.Ceil(ratio * float64(ready)))
	}
	withIdle := ratio * float64(ready) / float64(total)
	if math.Abs(withIdle-1) <= hpaTolerance || withIdle < 1 {
		return total
	}
	return int(math.Ceil(withIdle * float64(total)))
}

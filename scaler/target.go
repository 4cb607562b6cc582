package scaler

// Target is one endpoint that serves Prometheus metrics.
type Target struct {
	// Job becomes the job label.
	Job string
	// Address is host:port.
	Address string
	// Path is the metrics page, such as /metrics.
	Path string
	// Labels are added to every series; a node's target has application, group
	// and node.
	Labels map[string]string
}

package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Drainer drains nodes with their group's command or URL. A command has the node in
// its environment, as SCALERD_APPLICATION, SCALERD_GROUP, SCALERD_NODE, SCALERD_ID,
// SCALERD_PRIVATE_IP, SCALERD_PUBLIC_IP, SCALERD_DECISION and SCALERD_DEADLINE (RFC
// 3339); a URL gets the same with POST as a JSON object. Either may be asked again
// for the same node, after scalerd was restarted.
type Drainer struct {
	// Client makes the calls; nil is http.DefaultClient.
	Client *http.Client
}

var _ scaler.Drainer = Drainer{}

// Drain implements scaler.Drainer.
func (d Drainer) Drain(ctx context.Context, how spec.Drain, node scaler.DrainNode) error {
	if how.URL != "" {
		return d.post(ctx, how.URL, node)
	}
	env := []string{
		"SCALERD_APPLICATION=" + node.Application, "SCALERD_GROUP=" + node.Group, "SCALERD_NODE=" + node.Node,
		"SCALERD_ID=" + node.ID, "SCALERD_PRIVATE_IP=" + node.PrivateIP, "SCALERD_PUBLIC_IP=" + node.PublicIP,
		"SCALERD_DECISION=" + strconv.FormatInt(node.Decision, 10), "SCALERD_DEADLINE=" + node.Deadline.UTC().Format(time.RFC3339),
	}
	words, status, err := program{argv: how.Command, env: env}.run(ctx)
	if err != nil {
		return fmt.Errorf("drain %s: %w%s", node.Node, err, said(words))
	}
	if status != 0 {
		return fmt.Errorf("drain %s: %s ended with status %d%s", node.Node, how.Command[0], status, said(words))
	}
	return nil
}

func (d Drainer) post(ctx context.Context, url string, node scaler.DrainNode) error {
	body, err := json.Marshal(node)
	if err != nil {
		return fmt.Errorf("drain %s: %w", node.Node, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("drain %s: %w", node.Node, err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := d.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("drain %s: %w", node.Node, err)
	}
	defer response.Body.Close()
	words, err := io.ReadAll(io.LimitReader(response.Body, mostWords))
	if err != nil {
		return fmt.Errorf("drain %s: %w", node.Node, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("drain %s: %s answers %s%s", node.Node, url, response.Status, said(strings.TrimSpace(string(words))))
	}
	return nil
}

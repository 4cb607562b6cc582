package cmd_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/tfgen"
)

func TestDeadNodeAndBalancerAreReplaced(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--drift-interval", "2s")
	port := freePort(t)
	d.submit(describe("shop", fmt.Sprintf("web max: 5, initial: 3, local: {service_time: 5ms, boot_time: 0s, balancer: '127.0.0.1:%d'}", port)))
	before := d.settle("shop", "web", 3)
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	d.eventually("the balancer serves", func() error { return answers(url) })

	kill(t, before["web-0002"].pid)
	d.eventually("the dead node is replaced", func() error {
		now, err := d.fleet("shop", "web")
		if want := []string{"web-0001", "web-0003", "web-0004"}; err == nil && !slices.Equal(now.names(), want) {
			err = fmt.Errorf("there are %v, want %v", now.names(), want)
		}
		return err
	})
	after := d.settle("shop", "web", 3)
	d.untouched(before, after, []string{"web-0001", "web-0003"})
	if text := d.metrics(); !strings.Contains(text, `scalerd_nodes_gone_total{application="shop",group="web"} 1`) {
		t.Error("the metric scalerd_nodes_gone_total does not count the dead node")
	}

	run := filepath.Join(d.groupDir("shop", "web"), tfgen.BaseName, tfgen.LocalRunDir)
	old, err := local.ReadRecord(run, tfgen.LocalBalancer)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, old.PID)
	d.eventually("the dead balancer is replaced", func() error {
		record, err := local.ReadRecord(run, tfgen.LocalBalancer)
		if err == nil && (record.PID == old.PID || !local.Alive(run, tfgen.LocalBalancer)) {
			err = errors.New("it is dead")
		}
		if err == nil {
			err = answers(url)
		}
		return err
	})
	d.untouched(after, d.settle("shop", "web", 3), after.names())
}

// answers returns nil where a node answers behind the address.
func answers(url string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(text), "served by")) {
		err = fmt.Errorf("%s: %.100s", res.Status, text)
	}
	return err
}

package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
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

// TestDriftIsCheckedWhenItIsAskedFor changes a machine of a cloud behind scalerd's back,
// which checks nothing by itself.
func TestDriftIsCheckedWhenItIsAskedFor(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "initial: 2, max: 2"))
	d.wait("shop", "ec2", 2)
	machines, err := clouds.Machines()
	if err != nil {
		t.Fatal(err)
	}
	changed := machines[0]
	if err := clouds.Change(changed, "instance_type", "m7i.large"); err != nil {
		t.Fatal(err)
	}
	if text := d.must("drift", "shop"); strings.Contains(text, changed.Name) || !strings.Contains(text, "they are checked only with --now") {
		t.Errorf("scalerctl drift before a check:\n%s", text)
	}
	out, errs, code := d.ctl("drift", "shop", "ec2", "--now", "--detailed-exitcode")
	line := regexp.MustCompile(`(?m)^shop +ec2 +shard-000 +aws_instance\.node\["` + changed.Name + `"\] +changed .* report +instance_type$`)
	if code != 2 || !line.MatchString(out) {
		t.Errorf("scalerctl drift --now ended with %d and %q:\n%s\nwant 2 and a line as %s", code, errs, out, line)
	}
	var found []scaler.GroupDrift
	if err := json.Unmarshal([]byte(d.must("drift", "-o", "json")), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || len(found[0].Findings) != 1 || len(found[0].Checks) != 1 || found[0].Checks[0].Problem != "" {
		t.Errorf("scalerctl drift -o json has %+v, want one finding and one check", found)
	}
	d.refuses("group none of application shop", "drift", "shop", "none", "--now")
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

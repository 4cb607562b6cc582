package scaler_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointOneWay keeps the arrows of the package map: from the commands
// over the adapters and the loop down to leaves that know neither time's passing,
// nor networks, processes and logs.
func TestImportsPointOneWay(t *testing.T) {
	const module = "github.com/scalerd/scalerd/"
	model := []string{"tfgen/spec", "tfgen/strictyaml"}
	generation := append(slices.Clone(model), "tfgen/schema", "tfgen/cloudinit", "templates")
	allowed := map[string][]string{
		"tfgen/strictyaml":      {},
		"tfgen/schema":          {},
		"tfgen/cloudinit":       {},
		"templates":             {},
		"tfgen/spec":            {"tfgen/strictyaml"},
		"tfgen":                 generation,
		"scaler/policy":         model,
		"scaler/failure":        {},
		"tfgen/tosca":           model,
		"tfgen/price":           model,
		"tfgen/simcloud":        {"tfgen/schema"},
		"tfgen/simcloud/plugin": {"tfgen/schema", "tfgen/simcloud"},
		"optimizer":             {"optimizer/linreg", "optimizer/mlp"},
		"optimizer/linreg":      {},
		"optimizer/mlp":         {},
		"scaler":                append(slices.Clone(generation), "tfgen", "tfgen/tosca", "tfgen/price", "scaler/policy", "scaler/failure", "optimizer", "optimizer/linreg", "optimizer/mlp"),
	}
	loop := append(slices.Clone(allowed["scaler"]), "scaler")
	allowed["scaler/access"] = []string{}
	allowed["scaler/secrets"] = append(slices.Clone(loop), "scaler/credentials", "scaler/secretfile")
	allowed["scaler/access/oidc"] = []string{"scaler/access", "scaler/secretfile"}
	allowed["scaler/secretfile"] = []string{}
	allowed["scaler/outbound"] = []string{}
	allowed["scaler/audit"] = []string{"scaler/access"}
	allowed["scaler/operation"] = loop
	allowed["scaler/docs"] = []string{"templates"}
	allowed["scaler/store"] = append(slices.Clone(loop), "scaler/access")
	allowed["scaler/store/storetest"] = []string{}
	allowed["scaler/console"] = []string{"templates"}
	allowed["scaler/console/consoletest"] = []string{}
	allowed["scaler/submitter"] = append(slices.Clone(loop), "scaler/access", "scaler/operation")
	for _, adapter := range []string{"scaler/monitor", "scaler/terraform", "scaler/local", "scaler/micado", "scaler/ruletest", "scaler/hook"} {
		allowed[adapter] = loop
	}
	allowed["scaler/credentials"] = append(slices.Clone(loop), "scaler/secretfile")
	allowed["scaler/report"] = append(slices.Clone(loop), "templates")
	allowed["scaler/api"] = append(slices.Clone(loop), "scaler/monitor", "scaler/report", "scaler/access", "scaler/audit", "scaler/secrets", "scaler/credentials", "scaler/secretfile", "scaler/operation", "scaler/backtest", "scaler/trace")
	allowed["scaler/public"] = append(slices.Clone(loop), "templates", "scaler/access", "scaler/access/oidc", "scaler/audit", "scaler/console", "scaler/docs", "scaler/micado", "scaler/operation", "scaler/report", "scaler/secretfile", "scaler/submitter")
	allowed["scaler/trace"] = []string{}
	allowed["scaler/backtest"] = append(slices.Clone(loop), "scaler/trace", "scaler/monitor")
	forbidden := []string{"net/http", "os/exec", "log/slog", "database/sql"}
	leaves := []string{"optimizer", "optimizer/linreg", "optimizer/mlp", "scaler/trace", "tfgen/strictyaml", "tfgen/schema", "tfgen/cloudinit", "tfgen/spec", "tfgen/tosca", "tfgen/price", "tfgen", "scaler/policy", "scaler/failure"}
	for pkg, may := range allowed {
		out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			own, isOwn := strings.CutPrefix(dep, module)
			if isOwn && own != pkg && !slices.Contains(may, own) {
				t.Errorf("%s imports %s, which it may not", pkg, own)
			}
			if slices.Contains(leaves, pkg) && slices.Contains(forbidden, dep) {
				t.Errorf("%s is a leaf and imports %s", pkg, dep)
			}
		}
	}
}

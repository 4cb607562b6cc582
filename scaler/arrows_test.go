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
	allowed := map[string][]string{
		"tfgen/strictyaml": {},
		"tfgen/spec":       {"tfgen/strictyaml"},
		"tfgen":            {"tfgen/spec", "tfgen/strictyaml"},
		"scaler/policy":    {"tfgen/spec", "tfgen/strictyaml"},
		"scaler":           {"scaler/policy", "tfgen", "tfgen/spec", "tfgen/strictyaml"},
	}
	loop := append(slices.Clone(allowed["scaler"]), "scaler")
	for _, adapter := range []string{"scaler/monitor", "scaler/terraform", "scaler/store", "scaler/local", "scaler/api"} {
		allowed[adapter] = loop
	}
	allowed["scaler/trace"] = []string{}
	allowed["scaler/backtest"] = append(slices.Clone(loop), "scaler/trace", "optimizer", "optimizer/linreg", "optimizer/mlp")
	allowed["optimizer/linreg"], allowed["optimizer/mlp"] = []string{}, []string{}
	allowed["optimizer"] = []string{"optimizer/linreg", "optimizer/mlp"}
	forbidden := []string{"net/http", "os/exec", "log/slog", "database/sql"}
	leaves := []string{"tfgen/strictyaml", "tfgen/spec", "tfgen", "scaler/policy", "scaler/trace", "optimizer", "optimizer/linreg", "optimizer/mlp"}
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

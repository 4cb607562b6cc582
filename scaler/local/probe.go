package local

import (
	"path/filepath"
	"strings"

	"github.com/scalerd/scalerd/tfgen"
)

// Probe implements scaler.Probe: it lists the resources of a local root module
// whose process is dead. A refreshing plan can't see that, because terraform_data
// has nothing to refresh.
func Probe(dir string, addresses []string) (dead []string) {
	byName := map[string]string{}
	for _, address := range addresses {
		if !strings.HasPrefix(address, "terraform_data.") {
			continue
		}
		if _, node, ok := tfgen.SplitAddress(address); ok {
			byName[node] = address
		} else if address == "terraform_data."+tfgen.LocalBalancer {
			byName[tfgen.LocalBalancer] = address
		}
	}
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	for _, name := range Dead(filepath.Join(dir, tfgen.LocalRunDir), names) {
		dead = append(dead, byName[name])
	}
	return dead
}

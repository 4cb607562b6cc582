package local

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// Inspector implements scaler.Inspector for the processes of local root modules.
// A refreshing plan can't see them, because terraform_data has nothing to
// refresh, and terraform destroys a tainted resource without its provisioners.
type Inspector struct{}

var _ scaler.Inspector = Inspector{}

// Dead implements scaler.Inspector.
func (Inspector) Dead(dir string, addresses []string) []string {
	var dead []string
	for _, address := range addresses {
		if name, ok := processOf(address); ok && !Alive(filepath.Join(dir, tfgen.LocalRunDir), name) {
			dead = append(dead, address)
		}
	}
	return dead
}

// Reap implements scaler.Inspector: it stops the module's processes that belong
// to none of the addresses.
func (Inspector) Reap(ctx context.Context, dir string, keep []string) ([]string, error) {
	run := filepath.Join(dir, tfgen.LocalRunDir)
	kept := make([]string, 0, len(keep))
	for _, address := range keep {
		if name, ok := processOf(address); ok {
			kept = append(kept, name)
		}
	}
	paths, err := filepath.Glob(files{run, "*"}.alive())
	if err != nil {
		return nil, err
	}
	var reaped []string
	var errs []error
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if slices.Contains(kept, name) {
			continue
		}
		if err := Stop(ctx, run, name); err != nil {
			errs = append(errs, err)
			continue
		}
		reaped = append(reaped, name)
	}
	return reaped, errors.Join(errs...)
}

// processOf is the name of the process that a resource of a local root module
// stands for.
func processOf(address string) (string, bool) {
	if node, ok := tfgen.AddressNode(address); ok {
		return node, strings.HasPrefix(address, "terraform_data.node[")
	}
	return tfgen.LocalBalancer, address == "terraform_data."+tfgen.LocalBalancer
}

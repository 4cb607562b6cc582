package scaler

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var (
	// getterPattern is how go-getter finds out how something is to be fetched: at the
	// front, and nowhere else.
	getterPattern = regexp.MustCompile(`^[A-Za-z0-9]+::`)
	schemePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	// scpPattern is Git's short form of an SSH address, [USER@]HOST:PATH.
	scpPattern = regexp.MustCompile(`^(?:[^/]+@)?(\[[^\]/]*\]|[^:/]+):`)
	// registryPattern is a module of Terraform's own registry, NAMESPACE/NAME/SYSTEM.
	registryPattern = regexp.MustCompile(`^[0-9A-Za-z_-]+/[0-9A-Za-z_-]+/[0-9A-Za-z_-]+(//.*)?$`)
)

// moduleHosts are where Terraform fetches a module and its providers from, and what these
// call.
func moduleHosts(path string, m *spec.Module) []namedHost {
	var all []namedHost
	if m.Source != "" {
		host, ok := moduleHost(m.Source)
		all = append(all, namedHost{path: path + ".source", host: host, unclear: !ok})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Providers)) {
		of, p := strictyaml.JoinKey(path+".providers", name), m.Providers[name]
		// [HOST/]NAMESPACE/TYPE; without a host it is Terraform's own registry.
		if host, rest, _ := strings.Cut(p.Source, "/"); strings.Contains(rest, "/") {
			all = append(all, namedHost{path: of + ".source", host: host})
		}
		all = append(all, argumentHosts(of+".arguments", p.Arguments)...)
	}
	return all
}

// moduleHost is where Terraform fetches a module from; it is empty for a path, and not ok
// where it can't be told.
func moduleHost(source string) (host string, ok bool) {
	source = withoutGetter(source)
	switch scp := scpPattern.FindStringSubmatch(source); {
	case localModule(source):
		return "", true
	case schemePattern.MatchString(source):
		return hostOf(source)
	case scp != nil:
		return scp[1], true
	case registryPattern.MatchString(source):
		return "registry.terraform.io", true
	}
	host, _, ok = strings.Cut(source, "/")
	return host, ok && host != ""
}

// withoutGetter is a module's source without git:: or what else says how to fetch it.
func withoutGetter(source string) string {
	for getterPattern.MatchString(source) {
		source = source[strings.Index(source, "::")+2:]
	}
	return source
}

// localModule reports whether a module's source is a path of this machine.
func localModule(source string) bool {
	source = withoutGetter(source)
	return strings.HasPrefix(strings.ToLower(source), "file:") || source != "" && strings.ContainsAny(source[:1], "./~")
}

package scaler

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var (
	// addressPattern finds where addresses begin in a text.
	addressPattern = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`)
	// hostKeyPattern finds arguments whose value is a host also without a scheme, such as
	// consul's address, kubernetes' host, and what is under endpoints.
	hostKeyPattern = regexp.MustCompile(`(?i)(^|_)(address|addr|host|hostname|endpoint|server|ur[il]|endpoint_override)(e?s)?$`)
	// keywordPattern finds the hosts in PostgreSQL's keyword form of a connection string.
	keywordPattern = regexp.MustCompile(`(?i)\bhost(?:addr)?\s*=\s*('[^']*'|\S+)`)
)

// connectionKeys are arguments that hold connection strings.
var connectionKeys = []string{"conn_str", "connection_string", "dsn"}

// argumentHosts are the hosts in arguments of a backend or a provider, however deep: in
// addresses, in connection strings, and under keys that are known to hold hosts.
func argumentHosts(path string, arguments map[string]any) []namedHost {
	var all []namedHost
	for _, key := range slices.Sorted(maps.Keys(arguments)) {
		all = append(all, valueHosts(strictyaml.JoinKey(path, key), key, hostKeyPattern.MatchString(key), arguments[key])...)
	}
	return all
}

// valueHosts are the hosts in the value of a key. host is set where a text in it is a host
// by its key, or by one that the key is under.
func valueHosts(path, key string, host bool, value any) []namedHost {
	var all []namedHost
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range slices.Sorted(maps.Keys(v)) {
			all = append(all, valueHosts(strictyaml.JoinKey(path, inner), inner, host || hostKeyPattern.MatchString(inner), v[inner])...)
		}
	case []any:
		for i, one := range v {
			all = append(all, valueHosts(strictyaml.JoinIndex(path, i), key, host, one)...)
		}
	case string:
		return textHosts(path, v, host, slices.Contains(connectionKeys, strings.ToLower(key)))
	}
	return all
}

func textHosts(path, text string, host, connection bool) []namedHost {
	var all []namedHost
	add := func(hosts string) {
		for _, one := range strings.Split(hosts, ",") {
			// PostgreSQL takes a folder for a host that is a socket.
			if one != "" && !strings.HasPrefix(one, "/") {
				all = append(all, namedHost{path: path, host: one})
			}
		}
	}
	found := addressPattern.FindAllStringIndex(text, -1)
	for _, at := range found {
		address, _, _ := strings.Cut(text[at[0]:], " ")
		u, err := url.Parse(address)
		switch {
		case err != nil:
			return []namedHost{{path: path, unclear: true}}
		case connection: // the query has options, and host is one
			add(u.Host)
			add(u.Query().Get("host"))
			add(u.Query().Get("hostaddr"))
		case u.Host != "":
			add(u.Host)
		case u.Scheme != "unix" && u.Scheme != "file":
			return []namedHost{{path: path, unclear: true}}
		}
	}
	switch {
	case len(found) > 0:
	case connection:
		for _, one := range keywordPattern.FindAllStringSubmatch(text, -1) {
			add(strings.Trim(one[1], "'"))
		}
	case host:
		name, _, _ := strings.Cut(text, "/")
		add(name[strings.LastIndexByte(name, '@')+1:])
	}
	return all
}

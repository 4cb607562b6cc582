package api

import "runtime/debug"

// release is the version that a package was built as; the linker sets it:
// -X github.com/scalerd/scalerd/scaler/api.release=1.2.3
var release string

// Version is the release, else the module's version where the binary was built from
// one, else the commit, else "devel".
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "devel"
}

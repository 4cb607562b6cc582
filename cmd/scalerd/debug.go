package main

import (
	"fmt"
	"net/http"
	"net/http/pprof"

	"golang.org/x/sys/unix"

	"github.com/scalerd/scalerd/scaler/access"
)

// noCoreDumps keeps this process's memory, and that of every terraform, off the disk: it
// can hold credentials. The process stays dumpable for the kernel (PR_SET_DUMPABLE),
// because its own files under /proc, which its metrics are read from, would belong to
// root otherwise.
func noCoreDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turn core dumps off: %w", err)
	}
	return nil
}

// withProfiles adds Go's profiles under /debug/pprof/, for admins; it is for the unix
// socket only.
func withProfiles(guard *access.Guard, handler http.Handler) http.Handler {
	profiles := http.NewServeMux()
	profiles.HandleFunc("GET /debug/pprof/", pprof.Index)
	profiles.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	profiles.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	profiles.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/debug/pprof/", guard.Handler(access.Require(access.Admin, profiles)))
	return mux
}

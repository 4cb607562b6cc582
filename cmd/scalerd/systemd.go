package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/scalerd/scalerd/scaler"
)

// tellServiceManager says that the daemon is ready when its applications run, and
// from then on that it lives, as long as every control loop goes round. Without a
// service manager it does nothing.
func tellServiceManager(ctx context.Context, service *scaler.Service, log *slog.Logger) {
	select {
	case <-service.Loaded():
		ready(log)
	case <-ctx.Done():
		return
	}
	defer notify(daemon.SdNotifyStopping, log)
	timeout, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("watchdog of the service manager", "error", err)
	}
	if timeout == 0 {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(timeout / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if stalled := service.Stalled(now); len(stalled) > 0 {
				log.Error("control loops hang; the watchdog will restart the daemon", "applications", stalled)
				continue
			}
			notify(daemon.SdNotifyWatchdog, log)
		}
	}
}

func ready(log *slog.Logger) { notify(daemon.SdNotifyReady, log) }

func reloading(log *slog.Logger) { notify(daemon.SdNotifyReloading, log) }

func notify(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("tell the service manager", "state", state, "error", err)
	}
}

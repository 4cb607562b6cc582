package terraform

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is the time since the machine was started, 0 where that is not known.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

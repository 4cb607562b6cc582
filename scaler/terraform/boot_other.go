//go:build !linux

package terraform

import "time"

// sinceBoot is not known, and not asked where there is no /proc.
func sinceBoot() time.Duration { return 0 }

package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// Duration is a length of time that is written as Go writes it: "90s", "5m",
// "1h30m". In a document it is never negative.
type Duration time.Duration

// AsDuration is d as a time.Duration.
func (d Duration) AsDuration() time.Duration { return time.Duration(d) }

// String writes d without the zero units that time.Duration adds: "5m", not
// "5m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText is String, for YAML and JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes, and refuses negative durations.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration", shorten(string(text)))
	}
	if parsed < 0 {
		return errors.New("a duration cannot be negative")
	}
	*d = Duration(parsed)
	return nil
}

// JSONSchema describes the written form: one or more numbers with a unit.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:     "string",
		Pattern:  `^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`,
		Examples: []any{"90s", "5m", "1h30m"},
	}
}

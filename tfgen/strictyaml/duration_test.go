package strictyaml

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDurationIsWrittenWithoutZeroUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 15 * time.Second: "15s", 5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		time.Hour + 5*time.Second: "1h0m5s", 100 * time.Millisecond: "100ms", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("String() of %v = %s, want %s", d, got, want)
		}
	}
}

func TestDurationReadsAndItsSchemaAcceptsWhatItWrites(t *testing.T) {
	pattern := regexp.MustCompile(Duration(0).JSONSchema().Pattern)
	rapid.Check(t, func(t *rapid.T) {
		want := Duration(rapid.Int64Min(0).Draw(t, "nanoseconds"))
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Duration
		if err := json.Unmarshal(text, &got); err != nil || got != want || got.AsDuration() != time.Duration(want) {
			t.Errorf("Unmarshal(%s) = %v, %v, want %v", text, got, err, want)
		}
		if !pattern.MatchString(want.String()) {
			t.Errorf("the schema refuses %s", want)
		}
	})
}

func TestDurationRefuses(t *testing.T) {
	for _, text := range []string{"", "5", "-1s", "1d", "soon", "1s 2s"} {
		d := Duration(7)
		if err := d.UnmarshalText([]byte(text)); err == nil || d != 7 {
			t.Errorf("UnmarshalText(%q) = %v, %v, want an error and no change", text, d, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"min", "max", "shard_size", "policies"}
	for word, want := range map[string]string{"mim": "min", "Max": "max", "shardsize": "shard_size", "policy": "policies", "x": "", "elephant": "", "mi": "min"} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

package config

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
)

// TestSharedMaps: equal labels of probes are one map, and others are not.
func TestSharedMaps(t *testing.T) {
	clearEnvironment(t)
	labels := []string{"{team: a, zone: b}", "{zone: b, team: a}", "{team: b, zone: a}", "{team: a}", "&l {team: a, zone: b}", "*l"}
	var text strings.Builder
	text.WriteString("defaults: {labels: {from: defaults}}\nprobes:\n")
	for i, l := range labels {
		fmt.Fprintf(&text, "  - {name: p%d, url: ws://a/, labels: %s}\n", i, l)
	}
	config, err := loadText([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range config.Probes {
		for _, q := range config.Probes[:i] {
			one := reflect.ValueOf(p.Labels).Pointer() == reflect.ValueOf(q.Labels).Pointer()
			if equal := maps.Equal(p.Labels, q.Labels); equal != one {
				t.Errorf("labels %v of %s and %v of %s: one map %t, want %t", p.Labels, p.Name, q.Labels, q.Name, one, equal)
			}
		}
		if len(p.Labels) != strings.Count(strings.Replace(labels[i], "*l", labels[4], 1), ":")+1 || p.Labels["from"] != "defaults" {
			t.Errorf("%s has the labels %v", p.Name, p.Labels)
		}
	}
}

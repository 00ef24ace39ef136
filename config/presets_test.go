package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestPresets: each preset sets what it says, and nothing that only the user can know.
func TestPresets(t *testing.T) {
	free := []string{"otlp.protocol", "otlp.temporality", "otlp.histograms", "otlp.max_scale", "otlp.end_markers"}
	if names := presetNames(); !slices.IsSorted(names) || len(names) < 8 {
		t.Errorf("names %q", names)
	}
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			got, err := loadWith(t, "otlp: {preset: "+p.Name+"}\n"+probesOnly, nil)
			if err != nil || len(got.Warnings) > 0 {
				t.Fatal(err, got.Warnings)
			}
			if got.OTLP.Preset != p.Name || !reflect.DeepEqual(got.OTLP.ByPreset, p.Values) {
				t.Errorf("got %s, %v", got.OTLP.Preset, got.OTLP.ByPreset)
			}
			for _, v := range p.Values {
				if is := got.OTLP.word(v.Path); !slices.Contains(free, v.Path) || is != v.Value {
					t.Errorf("%s is %s, want %s", v.Path, is, v.Value)
				}
			}
			for _, source := range p.Sources {
				if !strings.HasPrefix(source, "https://") {
					t.Errorf("source %s", source)
				}
			}
			if len(p.Sources) == 0 || p.BackEnd == "" {
				t.Error("no source, or no back end")
			}
		})
	}
}

// TestPresetPrecedence: WSPROBE_ wins over the file, the file over the preset, the preset over OTEL_.
func TestPresetPrecedence(t *testing.T) {
	const preset = "otlp: {preset: newrelic}\n" + probesOnly
	const own = "otlp: {preset: newrelic, temporality: lowmemory}\n" + probesOnly
	theirs := map[string]string{temporalityVariable: "cumulative"}
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       string
		set        int // by the preset
	}{
		{"preset", preset, nil, "delta", 3},
		{"preset over otel", preset, theirs, "delta", 3},
		{"file over preset", own, theirs, "lowmemory", 2},
		{"wsprobe over preset", preset, map[string]string{"WSPROBE_OTLP_TEMPORALITY": "cumulative"}, "cumulative", 2},
		{"preset by wsprobe", probesOnly, map[string]string{"WSPROBE_OTLP_PRESET": "newrelic"}, "delta", 3},
		{"preset by wsprobe over file", "otlp: {preset: prometheus}\n" + probesOnly, map[string]string{"WSPROBE_OTLP_PRESET": "newrelic"}, "delta", 3},
		{"otel without preset", probesOnly, map[string]string{temporalityVariable: "delta"}, "delta", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, test.file, test.variables)
			if err != nil || got.OTLP.Temporality != test.want || len(got.OTLP.ByPreset) != test.set {
				t.Errorf("got %q, %v, %v, want %q, %d", got.OTLP.Temporality, got.OTLP.ByPreset, err, test.want, test.set)
			}
		})
	}
}

// TestPresetEndpoint: the port of the default endpoint follows the protocol of the preset, and a path is right with it.
func TestPresetEndpoint(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"otlp: {preset: dynatrace}\n" + probesOnly, "http://127.0.0.1:4318/v1/metrics"},
		{"otlp: {preset: dynatrace, endpoint: 'https://abc.live.dynatrace.com/api/v2/otlp'}\n" + probesOnly,
			"https://abc.live.dynatrace.com/api/v2/otlp/v1/metrics"},
	} {
		if got, err := loadWith(t, test.file, nil); err != nil || got.OTLP.Endpoint.URL() != test.want {
			t.Errorf("got %s, %v, want %s", got.OTLP.Endpoint.URL(), err, test.want)
		}
	}
}

// TestPresetDoubts: a value that the back end does not take is warned of where it comes from, if anything is exported.
func TestPresetDoubts(t *testing.T) {
	const preset = "otlp: {preset: dynatrace}\n" + probesOnly
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       string
	}{
		{"variable", preset, map[string]string{"WSPROBE_OTLP_TEMPORALITY": "lowmemory"},
			"environment: WSPROBE_OTLP_TEMPORALITY: Dynatrace refuses cumulative counters: the preset dynatrace has delta"},
		{"no export", "otlp: {preset: dynatrace, protocol: none, temporality: cumulative}\n" + probesOnly, nil, ""},
		{"preference", "otlp: {preset: newrelic, temporality: cumulative, protocol: grpc}\n" + probesOnly, nil, ""},
		{"coarser", "otlp: {preset: victoriametrics, histograms: exponential, max_scale: 3}\n" + probesOnly, nil, ""},
		{"same", "otlp: {preset: dynatrace, temporality: delta}\n" + probesOnly, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, test.file, test.variables)
			if err != nil {
				t.Fatal(err)
			}
			var warnings []string
			for _, w := range got.Warnings {
				warnings = append(warnings, strings.Replace(w.String(), "warning: ", "", 1))
			}
			if said := strings.Join(warnings, "\n"); said != test.want {
				t.Errorf("got %q, want %q", said, test.want)
			}
		})
	}
}

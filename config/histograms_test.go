package config

import "testing"

// TestTemporality: over which time totals count.
func TestTemporality(t *testing.T) {
	preference := func(word string) map[string]string { return map[string]string{temporalityVariable: word} }
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       string
	}{
		{"default", probesOnly, nil, "cumulative"},
		{"file", "otlp: {temporality: delta}\n" + probesOnly, nil, "delta"},
		{"otel", probesOnly, preference("LowMemory"), "lowmemory"},
		{"file over otel", "otlp: {temporality: cumulative}\n" + probesOnly, preference("x"), "cumulative"},
		{"override", "otlp: {temporality: cumulative}\n" + probesOnly, map[string]string{"WSPROBE_OTLP_TEMPORALITY": "delta"}, "delta"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := loadWith(t, test.file, test.variables); err != nil || got.OTLP.Temporality != test.want {
				t.Errorf("got %q, %v, want %q", got.OTLP.Temporality, err, test.want)
			}
		})
	}
}

// TestHistograms: which buckets are exported, and their finest scale.
func TestHistograms(t *testing.T) {
	const inFile = "otlp: {histograms: exponential, max_scale: 11}\n" + probesOnly
	aggregation := func(word string) map[string]string { return map[string]string{histogramsVariable: word} }
	for _, test := range []struct {
		name, file  string
		variables   map[string]string
		exponential bool
		scale       int
	}{
		{"default", probesOnly, nil, false, 20},
		{"file", inFile, nil, true, 11},
		{"file/coarsest", "otlp: {histograms: exponential, max_scale: -10}\n" + probesOnly, nil, true, -10},
		{"otel/exponential", probesOnly, aggregation("base2_exponential_bucket_histogram"), true, 20},
		{"otel/explicit", probesOnly, aggregation("EXPLICIT_BUCKET_HISTOGRAM"), false, 20},
		{"file over otel", "otlp: {histograms: explicit}\n" + probesOnly, aggregation("x"), false, 20},
		{"override", probesOnly, map[string]string{"WSPROBE_OTLP_HISTOGRAMS": "exponential", "WSPROBE_OTLP_MAX_SCALE": "0"}, true, 0},
		{"override over file", inFile, map[string]string{"WSPROBE_OTLP_MAX_SCALE": "3"}, true, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, test.file, test.variables)
			if err != nil {
				t.Fatal(err)
			}
			if o := got.OTLP; o.Exponential() != test.exponential || o.MaxScale != test.scale {
				t.Errorf("got %v, %v, want %v, %v", o.Exponential(), o.MaxScale, test.exponential, test.scale)
			}
		})
	}
}

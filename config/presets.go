package config

import (
	"slices"
	"strconv"
)

// Preset is the form of exports that a back end wants, see otlp.preset.
type Preset struct {
	Name    string // as otlp.preset has it
	BackEnd string // as people call it
	Values  []PresetValue
	// Tried says that the values were tried with the back end. Otherwise they are only what its documents say.
	Tried bool
	// Sources are the addresses of the documents.
	Sources []string
}

// PresetValue is the value that a preset has for a field.
type PresetValue struct {
	Path  string // of the field: "otlp.temporality"
	Value string // as one would write it
	// Need says what the back end makes of another value. It is empty for a mere preference.
	Need string
}

// Presets returns the presets in the order of their names.
func Presets() []Preset { return slices.Clone(presets) }

const httpOnly = " takes OTLP over HTTP only"

var presets = []Preset{
	{Name: "datadog", BackEnd: "Datadog", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "Datadog" + httpOnly},
		{"otlp.temporality", temporalityDelta, "Datadog wants counters and histograms as differences"},
		{"otlp.histograms", histogramsExponential, ""},
	}, Sources: []string{"https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/",
		"https://docs.datadoghq.com/opentelemetry/guide/otlp_delta_temporality/"}},
	{Name: "dynatrace", BackEnd: "Dynatrace", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "Dynatrace" + httpOnly},
		{"otlp.temporality", temporalityDelta, "Dynatrace refuses cumulative counters"},
		{"otlp.histograms", histogramsExplicit, "Dynatrace drops exponential buckets"},
	}, Sources: []string{"https://docs.dynatrace.com/managed/shortlink/otel-getstarted-metrics-ingest",
		"https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/environment-api/opentelemetry/post-metrics"}},
	{Name: "elastic", BackEnd: "Elasticsearch", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, ""},
		{"otlp.temporality", temporalityDelta, "Elasticsearch before 9.5 drops cumulative histograms"},
	}, Sources: []string{"https://www.elastic.co/docs/manage-data/ingest/otlp-endpoint"}},
	{Name: "grafana-cloud", BackEnd: "Grafana Cloud", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "Grafana Cloud" + httpOnly},
		{"otlp.temporality", temporalityCumulative, "Grafana Cloud stores counters as Prometheus does, cumulative"},
		{"otlp.histograms", histogramsExponential, ""},
		{"otlp.end_markers", "true", ""},
	}, Sources: []string{"https://grafana.com/docs/grafana-cloud/send-data/otlp/otlp-format-considerations/",
		"https://github.com/grafana/mimir/blob/main/pkg/distributor/otlp/number_data_points_generated.go"}},
	{Name: "newrelic", BackEnd: "New Relic", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, ""},
		{"otlp.temporality", temporalityDelta, ""},
		{"otlp.histograms", histogramsExponential, ""},
	}, Sources: []string{"https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-otlp/",
		"https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-best-practices-metrics/"}},
	{Name: "prometheus", BackEnd: "Prometheus 3", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "Prometheus 3" + httpOnly},
		{"otlp.temporality", temporalityCumulative, "Prometheus 3 refuses differences unless it runs with --enable-feature=otlp-deltatocumulative"},
		{"otlp.histograms", histogramsExponential, ""},
		{"otlp.end_markers", "true", ""},
	}, Tried: true, Sources: []string{"https://prometheus.io/docs/guides/opentelemetry/"}},
	{Name: "splunk", BackEnd: "Splunk Observability", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "Splunk Observability takes metrics over HTTP only"},
		{"otlp.temporality", temporalityDelta, ""},
		{"otlp.histograms", histogramsExplicit, "Splunk Observability documents explicit buckets only"},
	}, Sources: []string{"https://help.splunk.com/splunk-observability-cloud/manage-data/metrics-metadata-and-events/" +
		"metrics-in-splunk-observability-cloud/get-histogram-data-in"}},
	{Name: "victoriametrics", BackEnd: "VictoriaMetrics", Values: []PresetValue{
		{"otlp.protocol", protocolHTTP, "VictoriaMetrics" + httpOnly},
		{"otlp.temporality", temporalityCumulative, "VictoriaMetrics stores differences as if they were cumulative"},
		{"otlp.max_scale", "11", ""},
		{"otlp.end_markers", "true", ""},
	}, Tried: true, Sources: []string{"https://docs.victoriametrics.com/victoriametrics/integrations/opentelemetry"}},
}

// presetNames returns the words of otlp.preset.
func presetNames() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.Name)
	}
	return names
}

// presetOf returns the preset of this name, or one without values.
func presetOf(name string) Preset {
	if i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name }); i >= 0 {
		return presets[i]
	}
	return Preset{}
}

// fallback returns what holds for a field about which the file and the variables of wsprobe are silent: the value of
// the preset, else a variable of OpenTelemetry, else nil. The preset comes first because it is the word of the file.
func (s *settingsReader) fallback(f Field) any {
	if i := slices.IndexFunc(s.preset.Values, func(v PresetValue) bool { return v.Path == f.Path }); i >= 0 {
		return s.preset.Values[i]
	}
	return standardVariable(f.OTel)
}

// fits tells which values the preset has set, and warns of those that its back end does not take.
func (s *settingsReader) fits(o *OTLP) {
	for _, v := range s.preset.Values {
		origin := s.origins[v.Path]
		switch {
		case origin.preset:
			o.ByPreset = append(o.ByPreset, v)
		case v.Need != "" && o.Exports() && !s.wrong[v.Path] && o.word(v.Path) != v.Value:
			s.warn(origin, "%s: the preset %s has %s", v.Need, s.preset.Name, v.Value)
		}
	}
}

// word returns the value of a field of a preset as one would write it.
func (o OTLP) word(path string) string {
	switch path {
	case "otlp.protocol":
		return o.Protocol
	case "otlp.temporality":
		return o.Temporality
	case "otlp.histograms":
		return o.Histograms
	case "otlp.max_scale":
		return strconv.Itoa(o.MaxScale)
	default:
		return strconv.FormatBool(o.EndMarkers)
	}
}

package config

import (
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// temporalityVariable chooses the temporality (metrics exporters of OTLP, additional environment variables).
const temporalityVariable = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"

// histogramsVariable chooses the buckets of histograms (metrics exporters of OTLP, additional environment variables).
const histogramsVariable = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"

// histogramAggregation returns our word for one of the specification.
func histogramAggregation(text string) (word, problem string) {
	switch strings.ToLower(text) {
	case "explicit_bucket_histogram":
		return histogramsExplicit, ""
	case "base2_exponential_bucket_histogram":
		return histogramsExponential, ""
	}
	return "", "must be explicit_bucket_histogram or base2_exponential_bucket_histogram, got " + excerpt.Quote(text)
}

// minSchema is the coarsest scale that native histograms have in Prometheus.
const minSchema = -4

// histograms looks for a scale that nothing has, or that not everything can have.
func (s *settingsReader) histograms(c *Config) {
	scale, given := s.origins["otlp.max_scale"]
	switch {
	case !given || scale.preset || s.wrong["otlp.preset"] || s.wrong["otlp.max_scale"] || s.wrong["otlp.histograms"]:
	case !c.OTLP.Exponential():
		s.fault(scale, "has no effect: otlp.histograms is not exponential")
	case c.OTLP.MaxScale < minSchema && c.Agent.Metrics.Histograms == "native":
		s.fault(scale, "must be at least %d with agent.metrics.histograms native: Prometheus has no coarser scale", minSchema)
	}
}

package telemetry

import (
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Scraped is the form of the histograms that scrapes get.
type Scraped string

// The forms, by the names of agent.metrics.histograms.
const (
	// ScrapedClassic is classic buckets, in each format.
	ScrapedClassic Scraped = "classic"
	// ScrapedNative is native histograms in protobuf, without classic buckets besides. Text has no native histograms, so
	// that there they are classic.
	ScrapedNative Scraped = "native"
	// ScrapedNone is no histograms.
	ScrapedNone Scraped = "none"
)

// forms are those in which distributions are kept: what the export tells, and what a scrape may ask for.
func (o Options) forms() metrics.Forms {
	export := o.Protocol != ProtocolNone
	scraped := o.Exposition && o.Scraped != ScrapedNone
	kept := metrics.Forms{
		Exponential: export && o.Exponential || scraped && o.Scraped == ScrapedNative,
		Explicit:    export && !o.Exponential || scraped,
		MaxScale:    prometheus.MaxSchema,
	}
	if export && o.Exponential {
		kept.MaxScale = int8(o.MaxScale)
	}
	return kept
}

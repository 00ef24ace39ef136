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
	kept := o.scrapedForms()
	if o.Protocol == ProtocolNone {
		return kept
	}
	told := o.exportedForms()
	if kept.Explicit = kept.Explicit || told.Explicit; told.Exponential {
		kept.Exponential, kept.MaxScale = true, told.MaxScale
	}
	return kept
}

// exportedForms are those that the export tells.
func (o Options) exportedForms() metrics.Forms {
	if o.Exponential {
		return metrics.Forms{Exponential: true, MaxScale: int8(o.MaxScale)}
	}
	return metrics.Forms{Explicit: true}
}

// scrapedForms are those that a scrape may ask for.
func (o Options) scrapedForms() metrics.Forms {
	scraped := o.Exposition && o.Scraped != ScrapedNone
	return metrics.Forms{Explicit: scraped, Exponential: scraped && o.Scraped == ScrapedNative, MaxScale: prometheus.MaxSchema}
}

// keep is what a series keeps for metrics. Scrapes count from the start, whatever the export does.
func (o Options) keep() metrics.Keep {
	keep := metrics.Keep{Last: o.Exposition, Forms: o.forms()}
	if o.Protocol != ProtocolNone && o.Temporality.delta() {
		keep.Deltas, keep.DeltaForms, keep.Forms = true, o.exportedForms(), o.scrapedForms()
	}
	return keep
}

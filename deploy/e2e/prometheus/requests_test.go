package prometheus

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// checkRequests applies what back ends need to the requests that Prometheus accepted or refused for good.
func (b *backend) checkRequests(t *testing.T) {
	t.Helper()
	o := newOrder()
	labels := map[string]bool{}
	for i, r := range b.Requests() {
		if r.Deferred() {
			continue
		}
		metrics, err := decode(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		o.add(metrics)
		for _, fault := range labelFaults(metrics) {
			labels[fault] = true
		}
	}
	report(t, "order", o.faults)
	report(t, "labels", slices.Sorted(maps.Keys(labels)))
}

func report(t *testing.T, what string, faults []string) {
	t.Helper()
	const most = 10
	for _, fault := range faults[:min(most, len(faults))] {
		t.Errorf("%s: %s", what, fault)
	}
	if more := len(faults) - most; more > 0 {
		t.Errorf("%s: %d faults more", what, more)
	}
}

// decode reads an OTLP ExportMetricsServiceRequest in protobuf, with or without gzip.
func decode(r lab.Request) (pmetric.Metrics, error) {
	request := pmetricotlp.NewExportRequest()
	body, err := plain(r)
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	return request.Metrics(), err
}

// plain returns the body of a request without its compression.
func plain(r lab.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// checkSizes wants each request to be one that gRPC servers take by default.
func (b *backend) checkSizes(t *testing.T) {
	t.Helper()
	const limit = 4 << 20
	largest := 0
	for i, r := range b.Requests() {
		body, err := plain(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		largest = max(largest, len(body))
	}
	t.Logf("%d requests, the largest of %d bytes", len(b.Requests()), largest)
	if largest > limit {
		t.Errorf("the largest request has %d bytes, want at most %d", largest, limit)
	}
}

// labelFaults names the metrics that would have a label twice where attributes of the resource become labels, as in
// VictoriaMetrics or by the Collector's resource_to_telemetry_conversion, and those without the agent's location.
func labelFaults(metrics pmetric.Metrics) []string {
	var faults []string
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				eachPoint(metric, func(attributes pcommon.Map, _ pcommon.Timestamp) {
					for key := range attributes.All() {
						if _, twice := resource.Resource().Attributes().Get(key); twice {
							faults = append(faults, fmt.Sprintf("%s has %s from the resource, too", metric.Name(), key))
						}
					}
					if _, ok := attributes.Get("wsprobe.location"); !ok {
						faults = append(faults, metric.Name()+" is without wsprobe.location")
					}
				})
			}
		}
	}
	return faults
}

// identity is the same for two maps with the same entries.
func identity(m pcommon.Map) string {
	var entries []string
	for k, v := range m.All() {
		entries = append(entries, k+"="+v.AsString())
	}
	slices.Sort(entries)
	return "{" + strings.Join(entries, ",") + "}"
}

// eachPoint calls f for every point of a metric, whatever its type is.
func eachPoint(m pmetric.Metric, f func(attributes pcommon.Map, at pcommon.Timestamp)) {
	numbers := pmetric.NewNumberDataPointSlice()
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		numbers = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		numbers = m.Sum().DataPoints()
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			f(p.Attributes(), p.Timestamp())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			f(p.Attributes(), p.Timestamp())
		}
	}
	for _, p := range numbers.All() {
		f(p.Attributes(), p.Timestamp())
	}
}

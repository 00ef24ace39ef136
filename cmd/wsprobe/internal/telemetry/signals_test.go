package telemetry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlpmetrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// overBoth runs a test with a receiver of each protocol.
func overBoth(t *testing.T, test func(t *testing.T, b *backend)) {
	for name, http := range map[string]bool{"grpc": false, "http": true} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.http = http
			test(t, b)
		})
	}
}

// TestCompression: what waited travels as what is sent at once.
func TestCompression(t *testing.T) {
	for _, compression := range []Compression{CompressionGzip, CompressionNone} {
		for _, state := range []string{"at once", "from the queue"} {
			t.Run(string(compression)+" "+state, func(t *testing.T) {
				overBoth(t, func(t *testing.T, b *backend) {
					log := newLogbook()
					e := prepareExport(t, b, Options{Compression: compression, Logger: log.logger()})
					record(e.probe(chat()), 100)
					if state == "at once" {
						b.start(t)
					}
					e.start(t)
					if state != "at once" {
						log.await(t, "export deferred")
						b.start(t)
					}
					b.await(t, "the runs", runsArrived(100))
					e.end(t)
					b.stop()
					checkRuns(t, b.points, "chat", 100)
					if wire := int(b.wire.Load()); (wire < b.bytes/2) != (compression == CompressionGzip) {
						t.Errorf("%d bytes of requests took %d bytes on the wire", b.bytes, wire)
					}
				})
			})
		}
	}
}

func TestPartialSuccessIsCountedAndTold(t *testing.T) {
	overBoth(t, func(t *testing.T, b *backend) {
		log := newLogbook()
		b.answer(func(_ context.Context, n int) (*receiver.PartialSuccess, error) {
			if n == 0 {
				return &receiver.PartialSuccess{RejectedDataPoints: 7, ErrorMessage: "seven are too old"}, nil
			}
			return nil, nil
		})
		b.start(t)
		e := exportTo(t, b, Options{Logger: log.logger()})
		record(e.probe(chat()), 10)
		log.await(t, `message="seven are too old" rejected_points=7`)
		points := b.await(t, "the account", func(points []receiver.Point) bool {
			return total(points, idAgentDropped, map[string]any{"wsprobe.drop.cause": "rejected"}) == 7
		})
		if got := total(points, idAgentRequests, map[string]any{"wsprobe.export.outcome": "partial"}); got != 1 {
			t.Errorf("%v partial requests, want 1", got)
		}
		if !e.ExportState().OK {
			t.Errorf("state: %+v", e.ExportState())
		}
		e.end(t)
		b.stop()
		checkRuns(t, b.points, "chat", 10) // this receiver hands over everything
	})
}

func TestSecretsOfHeadersAreNotTold(t *testing.T) {
	log := newLogbook()
	b := newBackend(t)
	b.answer(func(context.Context, int) (*receiver.PartialSuccess, error) {
		return nil, status.Error(codes.Unauthenticated, `token "s3cr3t" of "Bearer s3cr3t" is not known to tenant acme`)
	})
	b.start(t)
	e := exportTo(t, b, Options{
		Logger: log.logger(), Headers: map[string]string{"authorization": "Bearer s3cr3t", "x-tenant": "acme"},
	})
	log.await(t, "export deferred")
	want := `UNAUTHENTICATED: token "[redacted]" of "Bearer [redacted]" is not known to tenant [redacted]`
	if got := e.ExportState().Detail; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.cancel() // everything is deferred, so the last try ends the export
	<-e.done
	if strings.Contains(log.String(), "s3cr3t") || strings.Contains(log.String(), "acme") {
		t.Errorf("a secret was logged:\n%s", log)
	}
}

// TestEnvironmentHasNoSay sets everything that the exporter and the SDK read by themselves to something else.
func TestEnvironmentHasNoSay(t *testing.T) {
	for name, value := range map[string]string{
		"ENDPOINT": "https://127.0.0.1:1", "METRICS_ENDPOINT": "https://127.0.0.1:1",
		"HEADERS": "x-env=1", "METRICS_HEADERS": "x-env=1", "INSECURE": "false", "METRICS_INSECURE": "false",
		"TIMEOUT": "1", "METRICS_TIMEOUT": "1", "METRICS_TEMPORALITY_PREFERENCE": "delta",
		"METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=env,env=1")
	t.Setenv("OTEL_SERVICE_NAME", "env")
	for _, headers := range []map[string]string{nil, {"x-own": "1"}} {
		var got metadata.MD
		b := newBackend(t)
		b.answer(func(ctx context.Context, _ int) (*receiver.PartialSuccess, error) {
			got, _ = metadata.FromIncomingContext(ctx)
			return nil, nil
		})
		b.start(t)
		e := exportTo(t, b, Options{Interval: time.Hour, Headers: headers})
		record(e.probe(chat()), 10)
		e.end(t)
		b.stop()
		checkRuns(t, b.points, "chat", 10)
		if got["x-env"] != nil || len(got["x-own"]) != len(headers) {
			t.Errorf("headers: got %v, want %v", got, headers)
		}
		for _, p := range b.points {
			if p.Resource["service.name"] != "wsprobe" || p.Resource["env"] != nil {
				t.Fatalf("resource: got %v", p.Resource)
			}
			if p.Kind == "histogram" && (!p.Cumulative || len(p.Bounds) == 0) {
				t.Fatalf("histogram: got %+v", p)
			}
		}
	}
}

// TestTenThousandProbes exports more than a gRPC server takes at once: the receiver has the usual limit of 4
// MiB. The labels are long, so that bytes and not points are what is full first.
func TestTenThousandProbes(t *testing.T) {
	const probes = 10_000
	labels := map[string]string{}
	for i := range 3 {
		labels[fmt.Sprint("label_", i)] = strings.Repeat("v", 300)
	}
	seen, points := map[string]int{}, int64(0)
	b := newBackend(t)
	b.receiver.Point = nil // the requests are looked at as they are, for it is many points
	b.receiver.Answer = func(_ context.Context, request *receiver.Request) (*receiver.PartialSuccess, error) {
		b.requests++
		b.largest = max(b.largest, proto.Size(request))
		var metrics []*otlpmetrics.Metric
		for _, scope := range request.ResourceMetrics[0].ScopeMetrics {
			metrics = append(metrics, scope.Metrics...)
		}
		for _, m := range metrics {
			points += int64(len(m.GetGauge().GetDataPoints()) + len(m.GetSum().GetDataPoints()) + len(m.GetHistogram().GetDataPoints()))
			if m.Name != "wsprobe.connection_success" {
				continue
			}
			for _, p := range m.GetGauge().GetDataPoints() {
				at := slices.IndexFunc(p.Attributes, func(kv *common.KeyValue) bool { return kv.Key == "wsprobe.name" })
				seen[p.Attributes[at].Value.GetStringValue()]++
			}
		}
		return nil, nil
	}
	b.start(t)
	e := exportTo(t, b, Options{Interval: time.Hour, Compression: CompressionNone})
	for i := range probes {
		target := chat()
		target.Name, target.Labels = fmt.Sprint("probe ", i), labels
		e.probe(target).Record(refused(midnight), unjudged)
	}
	e.end(t)
	b.stop()
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s arrived %d times", name, n)
		}
	}
	if len(seen) != probes {
		t.Errorf("%d probes arrived, want %d", len(seen), probes)
	}
	if b.largest > 4<<20 || b.requests < 10 {
		t.Errorf("%d requests, the largest of %d bytes", b.requests, b.largest)
	}
	accepted, sent := e.self.requests(requestKind{outcome: outbox.Accepted}), e.self.count(idAgentSent)
	if accepted != int64(b.requests) || sent != points {
		t.Errorf("counted %d requests and %d points, want %d and %d", accepted, sent, b.requests, points)
	}
}

package prometheus

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// otlpBase is the path of Prometheus' OTLP receiver; the agent appends /v1/metrics.
const otlpBase = "/api/v1/otlp"

// lookback is the default of --query.lookback-delta.
const lookback = 5 * time.Minute

// backend is Prometheus as far as the way of a sample goes: receiver, storage and query engine.
type backend struct {
	*lab.Receiver
	db     *tsdb.DB
	engine *promql.Engine
}

// newBackend opens an empty storage and listens on loopback until the test ends.
func newBackend(t *testing.T) *backend {
	t.Helper()
	return newBackendWith(t, remote.OTLPOptions{})
}

// newBackendWith is newBackend with features of the receiver.
func newBackendWith(t *testing.T, features remote.OTLPOptions) *backend {
	t.Helper()
	features.LookbackDelta = lookback
	logger := slog.New(slog.DiscardHandler)
	cfg, err := config.Load("", logger)
	if err != nil {
		t.Fatal(err)
	}
	options := tsdb.DefaultOptions()
	options.WALCompression = compression.Snappy // the default of the command, not of the package
	db, err := tsdb.Open(t.TempDir(), logger, nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50e6, Timeout: 2 * time.Minute, LookbackDelta: lookback,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{}),
	})
	t.Cleanup(func() {
		if err := errors.Join(engine.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("POST "+otlpBase+"/v1/metrics", remote.NewOTLPWriteHandler(logger, nil, db,
		func() config.Config { return *cfg }, features))
	return &backend{lab.NewReceiver(t, mux), db, engine}
}

// otlp returns the section of the agent's settings that exports to this Prometheus.
func (b *backend) otlp(interval string) map[string]any {
	return map[string]any{"endpoint": "http://" + b.Addr + otlpBase, "protocol": "http/protobuf", "interval": interval}
}

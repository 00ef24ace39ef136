package forms

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// consume takes a request as a component of a pipeline does: it may change the metrics.
type consume func(context.Context, pmetric.Metrics) error

// intake receives over OTLP, keeps what came and hands a copy of each request on.
type intake struct {
	*lab.Receiver

	mu      sync.Mutex
	next    consume
	sent    ledger // as the agent sent it
	refused error  // the first error of next
}

// newIntake listens on loopback until the test ends.
func newIntake(t *testing.T, next consume) *intake {
	t.Helper()
	in := &intake{next: next}
	in.Receiver = lab.NewReceiver(t, in)
	return in
}

// setNext has later requests handed on to another consumer, as after a restart of a Collector.
func (in *intake) setNext(next consume) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.next = next
}

func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	metrics, err := decode(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.sent.add(metrics)
	if err := in.next(r.Context(), metrics); err != nil && in.refused == nil {
		in.refused = err
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// decode reads an OTLP ExportMetricsServiceRequest in protobuf, with or without gzip.
func decode(r *http.Request) (pmetric.Metrics, error) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	request := pmetricotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	return request.Metrics(), err
}

// settings are those of an agent that exports here every second, in a form. Its identity is the same after a restart.
func (in *intake) settings(temporality, histograms string, probes ...map[string]any) lab.Settings {
	return lab.Settings{
		"agent": map[string]any{"listen": "", "location": "lab", "id": "lab-1"},
		"otlp": map[string]any{
			"endpoint": "http://" + in.Addr, "protocol": "http/protobuf", "interval": "1s",
			"temporality": temporality, "histograms": histograms,
		},
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   probes,
	}
}

// runs returns how many runs of a probe have come.
func (in *intake) runs(probe string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.sent.values("wsprobe.connection_success", probe))
}

// awaitRuns waits for more runs of a probe to come than now.
func (in *intake) awaitRuns(t *testing.T, agent *lab.Process, probe string, more int) {
	t.Helper()
	want := in.runs(probe) + more
	lab.Eventually(t, 2*time.Minute, fmt.Sprintf("%d runs of %s", want, probe), func() (bool, string) {
		agent.Running(t)
		n := in.runs(probe)
		return n >= want, fmt.Sprint(n)
	})
}

// check wants every request to be accepted, here and by what comes next.
func (in *intake) check(t *testing.T) {
	t.Helper()
	in.CheckAnswers(t)
	if in.refused != nil {
		t.Errorf("a request was refused: %v", in.refused)
	}
}

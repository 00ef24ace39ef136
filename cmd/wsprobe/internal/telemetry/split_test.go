package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// numbered is a batch with a point a second for each number.
func numbered(numbers ...float64) *batch {
	var points []metricdata.DataPoint[float64]
	for _, n := range numbers {
		points = append(points, metricdata.DataPoint[float64]{Time: midnight.Add(time.Duration(n) * time.Second), Value: n})
	}
	data := metricdata.Gauge[float64]{DataPoints: points}
	return &batch{points: len(points), collected: time.Now(), content: content{data: &metricdata.ResourceMetrics{
		ScopeMetrics: []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "n", Data: data}}}},
	}}}
}

// numbersOf returns the numbers in a request.
func numbersOf(t *testing.T, c content) []float64 {
	t.Helper()
	raw, err := c.request()
	if err != nil {
		t.Fatal(err)
	}
	var request collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	var numbers []float64
	for p := range receiver.Points(&request) {
		numbers = append(numbers, p.Value)
	}
	return numbers
}

// TestPoisonedRequestIsSplitAndGivenUp has a receiver that never takes the point 5. The other half of its request arrives,
// and what comes later waits for minutes and not for a day.
func TestPoisonedRequestIsSplitAndGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		verdict verdict
		want    []float64
		refused int
	}{
		"for a reason that can be its own": {verdict{outcome: Deferred, errorType: "RESOURCE_EXHAUSTED", doubtful: true}, []float64{1, 2, 3, 4, 9}, 2 * maxStrikes},
		"for its size":                     {verdict{outcome: Deferred, errorType: "413", doubtful: true, tooLarge: true}, []float64{1, 2, 3, 4, 6, 7, 8, 9}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				agent := newAgent(nil, nil)
				d := &delivery{
					queue: newQueue(limits{memory: 1 << 20}, nil, agent.drop), agent: agent, health: newHealth(),
					log: newLimitedLog(slog.New(slog.DiscardHandler)), spread: 1,
				}
				var arrived []float64
				refused := 0
				d.send = func(_ context.Context, content content) verdict {
					numbers := numbersOf(t, content)
					if slices.Contains(numbers, 5) {
						refused++
						return c.verdict
					}
					arrived = append(arrived, numbers...)
					return verdict{outcome: Accepted}
				}
				d.queue.add(numbered(8, 7, 1, 2, 3, 4, 5, 6))
				d.queue.add(numbered(9))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go d.run(ctx, nil)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				halves := slices.Clone(arrived)
				slices.Sort(halves)
				if !slices.Equal(halves, c.want) || refused != c.refused || arrived[len(arrived)-1] != 9 {
					t.Errorf("%v arrived after %d refusals, want %v after %d", arrived, refused, c.want, c.refused)
				}
				if lost := int64(9 - len(c.want)); agent.dropped[DropRejected] != lost || agent.sent != int64(len(c.want)) {
					t.Errorf("%d dropped, %d sent, want %d and %d", agent.dropped[DropRejected], agent.sent, lost, len(c.want))
				}
				if waiting, _ := d.queue.points(); waiting != 0 || d.health.get().Refusal.Points == 0 {
					t.Errorf("%d points wait; told %+v", waiting, d.health.get().Refusal)
				}
			})
		})
	}
}

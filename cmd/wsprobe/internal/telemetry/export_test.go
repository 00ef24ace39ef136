package telemetry

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// record notes n runs, a second apart, whose handshakes take 1, 2 ... ms.
func record(s *observed, n int) {
	for i := range n {
		s.Record(good(midnight.Add(time.Duration(i)*time.Second), time.Duration(i+1)*time.Millisecond), unjudged)
	}
}

// checkRuns compares the points of a probe with n runs made by record: each is there once, with its own values
// and times.
func checkRuns(t *testing.T, points []receiver.Point, name string, n int) {
	t.Helper()
	points = byTime(points)
	for _, c := range []struct {
		metric metrics.ID
		value  func(run int) float64
	}{
		{metrics.ConnectionSuccess, func(int) float64 { return 1 }},
		{metrics.HandshakeLatency, func(run int) float64 { return float64(run + 1) }},
		{metrics.RoundTripLatency, func(run int) float64 { return float64(2 * (run + 1)) }},
	} {
		run := 0
		for _, p := range of(points, c.metric) {
			if p.Attributes["wsprobe.name"] != name {
				continue
			}
			start := midnight.Add(time.Duration(run) * time.Second)
			end := start.Add(time.Duration(3*(run+1)) * time.Millisecond)
			if !p.Start.Equal(start) || !p.Time.Equal(end) || p.Value != c.value(run) {
				t.Errorf("%s: %s %d is %v from %v to %v, want %v from %v to %v",
					name, p.Metric, run, p.Value, p.Start, p.Time, c.value(run), start, end)
				return
			}
			run++
		}
		if run != n {
			t.Errorf("%s: %d points of %s, want %d", name, run, table[c.metric].Name, n)
		}
	}
}

// byTime returns the points in the order of their times. They arrive in another one when news go ahead of a backlog,
// as they may on a busy machine.
func byTime(points []receiver.Point) []receiver.Point {
	return slices.SortedStableFunc(slices.Values(points), func(a, b receiver.Point) int { return a.Time.Compare(b.Time) })
}

func TestEveryRunArrivesOnce(t *testing.T) {
	const probes, runs = 5, 200
	b := newBackend(t).start(t)
	e := exportTo(t, b, Options{Interval: time.Millisecond})
	var recording sync.WaitGroup
	for i := range probes {
		target := chat()
		target.Name = fmt.Sprint("probe ", i)
		series := e.probe(target)
		recording.Go(func() { record(series, runs) })
	}
	recording.Wait()
	e.end(t)
	b.stop()
	for i := range probes {
		name := fmt.Sprint("probe ", i)
		checkRuns(t, b.points, name, runs)
		if got := total(b.points, metrics.Runs, map[string]any{"wsprobe.name": name, "wsprobe.reason": "ok"}); got != runs {
			t.Errorf("%s: the last total is %v", name, got)
		}
		var last receiver.Point
		for _, p := range byTime(of(b.points, metrics.HandshakeDuration)) {
			if p.Attributes["wsprobe.name"] == name {
				if p.Count < last.Count || !p.Time.After(last.Time) {
					t.Fatalf("%s: a histogram of %d at %v after one of %d at %v", name, p.Count, p.Time, last.Count, last.Time)
				}
				last = p
			}
		}
		if last.Count != runs || last.Value != runs*(runs+1)/2 {
			t.Errorf("%s: the last histogram has %d values with the sum %v", name, last.Count, last.Value)
		}
	}
}

func TestReceiverThatIsAway(t *testing.T) {
	log := newLogbook()
	b := newBackend(t)
	e := exportTo(t, b, Options{Logger: log.logger()})
	series := e.probe(chat())
	record(series, 1)
	log.await(t, "export deferred")
	if h := e.ExportState(); h.OK || h.Since.IsZero() || !strings.Contains(h.Detail, "UNAVAILABLE: ") || !strings.Contains(h.Detail, "refused") {
		t.Errorf("health while the receiver is away: %+v", h)
	}
	b.start(t)
	b.await(t, "the run of before", runsArrived(1))
	log.await(t, "export gets through again")
	if h := e.ExportState(); !h.OK {
		t.Errorf("health once the receiver is there: %+v", h)
	}
	e.end(t)
	b.stop()
	checkRuns(t, b.points, "chat", 1)
	if got := total(b.points, idAgentRequests, map[string]any{"wsprobe.export.outcome": "deferred", "error.type": "UNAVAILABLE"}); got < 1 {
		t.Errorf("deferred requests: %v", got)
	}
}

func TestReceiverThatVanishes(t *testing.T) {
	log := newLogbook()
	b := newBackend(t).start(t)
	e := exportTo(t, b, Options{Logger: log.logger()})
	series := e.probe(chat())
	const runs = 30
	for i := range runs {
		series.Record(good(midnight.Add(time.Duration(i)*time.Second), time.Duration(i+1)*time.Millisecond), unjudged)
		switch i {
		case 9:
			b.await(t, "the first runs", runsArrived(10))
			b.stop()
			log.await(t, "export deferred")
		case 19:
			b.start(t)
		}
	}
	b.await(t, "the last run", runsArrived(runs))
	e.end(t)
	b.stop()
	checkRuns(t, b.points, "chat", runs)
}

func TestReceiverThatRefuses(t *testing.T) {
	throttled, err := status.New(codes.ResourceExhausted, "wait").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(20 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		err       error
		errorType string
		kept      bool
	}{
		{"unavailable", status.Error(codes.Unavailable, "no"), "UNAVAILABLE", true},
		{"resource exhausted", status.Error(codes.ResourceExhausted, "no"), "RESOURCE_EXHAUSTED", true},
		{"throttled", throttled.Err(), "RESOURCE_EXHAUSTED", true},
		{"deadline exceeded", status.Error(codes.DeadlineExceeded, "no"), "DEADLINE_EXCEEDED", true},
		{"aborted", status.Error(codes.Aborted, "no"), "ABORTED", true},
		{"canceled", status.Error(codes.Canceled, "no"), "CANCELLED", true},
		{"unauthenticated", status.Error(codes.Unauthenticated, "no"), "UNAUTHENTICATED", true},
		{"data loss", status.Error(codes.DataLoss, "no"), "DATA_LOSS", true},
		{"out of range", status.Error(codes.OutOfRange, "no"), "OUT_OF_RANGE", true},
		{"invalid argument", status.Error(codes.InvalidArgument, "no"), "INVALID_ARGUMENT", false},
		{"permission denied", status.Error(codes.PermissionDenied, "no"), "PERMISSION_DENIED", false},
		{"unimplemented", status.Error(codes.Unimplemented, "no"), "UNIMPLEMENTED", false},
		{"internal", status.Error(codes.Internal, "no"), "INTERNAL", false},
		{"unknown", errors.New("no"), "UNKNOWN", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			const refusals = 3
			kind := requestKind{outbox.Deferred, c.errorType}
			arrived := 10
			if !c.kept {
				kind.outcome, arrived = outbox.Rejected, 0
			}
			// The agent's own count ends the refusals, not the receiver's: on a machine so busy that a request
			// runs into its timeout, or a connection breaks, the two need not see the same of it.
			log := newLogbook()
			b := newBackend(t)
			e := prepareExport(t, b, Options{Logger: log.logger()})
			b.answer(func(context.Context, int) (*receiver.PartialSuccess, error) {
				if e.self.requests(kind) < refusals {
					return nil, c.err
				}
				return nil, nil
			})
			record(e.probe(chat()), 10)
			b.start(t)
			e.start(t)
			log.await(t, "export "+string(kind.outcome))
			b.await(t, "the account of the refusals", func(points []receiver.Point) bool {
				return account(points, kind) >= refusals && runsArrived(arrived)(points)
			})
			e.end(t)
			b.stop()
			checkRuns(t, b.points, "chat", arrived)
			if got, counted := account(b.points, kind), e.self.requests(kind); got != float64(counted) {
				t.Errorf("the last account says %v refusals, %d were counted", got, counted)
			}
			dropped := total(b.points, idAgentDropped, map[string]any{"wsprobe.drop.cause": "rejected"})
			if c.kept != (dropped == 0) {
				t.Errorf("%v points dropped", dropped)
			}
		})
	}
}

// account is how many requests of a kind the last points tell of, or -1.
func account(points []receiver.Point, kind requestKind) float64 {
	return total(points, idAgentRequests, map[string]any{"wsprobe.export.outcome": string(kind.outcome), "error.type": kind.errorType})
}

// TestReceiverThatHangs has a receiver that does not answer requests with little time. The first ones have little;
// the others so much that no busy machine makes one of them arrive twice.
func TestReceiverThatHangs(t *testing.T) {
	const timeouts, little = 2, 50 * time.Millisecond
	kind := requestKind{outbox.Deferred, "DEADLINE_EXCEEDED"}
	b := newBackend(t)
	b.answer(func(ctx context.Context, _ int) (*receiver.PartialSuccess, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return nil, status.Error(codes.InvalidArgument, "the request has no deadline")
		}
		if time.Until(deadline) <= little {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	})
	e := prepareExport(t, b, Options{})
	e.bound = func(ctx context.Context) (context.Context, context.CancelFunc) {
		if e.self.requests(kind) >= timeouts {
			return ctx, func() {}
		}
		return context.WithTimeout(ctx, little)
	}
	record(e.probe(chat()), 10)
	b.start(t)
	e.start(t)
	b.await(t, "the runs, and the account of the timeouts", func(points []receiver.Point) bool {
		return account(points, kind) >= timeouts && runsArrived(10)(points)
	})
	e.end(t)
	b.stop()
	checkRuns(t, b.points, "chat", 10)
}

// TestNothingIsLeft looks for goroutines that outlive Run.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	b := newBackend(t).start(t)
	e := exportTo(t, b, Options{})
	record(e.probe(chat()), 10)
	b.await(t, "the runs", runsArrived(10))
	e.end(t)
	b.stop()
	// Goroutines of gRPC that have been told to end may need a moment.
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, before %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

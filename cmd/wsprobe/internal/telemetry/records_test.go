package telemetry

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// inbox keeps the items of a signal that a backend accepts.
type inbox[T any] struct{ receiver.Inbox[T] }

// await returns the items once there are so many.
func (in *inbox[T]) await(t *testing.T, n int) []T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	items, err := in.Await(ctx, n, func(T) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// keepRecords makes a backend keep log records.
func keepRecords(b *backend) *inbox[receiver.Record] {
	in := new(inbox[receiver.Record])
	b.receiver.Record = in.Add
	return in
}

// mismatched is a run about which there is much to say.
func mismatched(started time.Time) probe.Result {
	r := silent(started)
	r.Reason, r.ErrorType, r.Detail = reasons.ReplyMismatch, reasons.ReplyMismatched, "no match in 2 messages"
	r.CloseCode, r.CloseReason, r.CloseByProbe = 1002, "masked", true
	r.HTTPStatus, r.Body, r.Unmatched, r.LastReply = 101, "body", 2, "pong"
	r.Peer, r.StartDelay = "[2001:db8::1]:443", time.Second
	return r
}

func TestRecords(t *testing.T) {
	overBoth(t, func(t *testing.T, b *backend) {
		in := keepRecords(b)
		e := exportTo(t, b.start(t), Options{Logs: true, ServiceVersion: "1.2.3", Location: "attic"})
		s := e.probe(chat())
		s.Record(good(midnight, time.Millisecond), unjudged)
		s.Record(mismatched(midnight.Add(time.Minute)), unjudged)
		s.Record(refused(midnight.Add(2*time.Minute)), unjudged)
		s.Record(good(midnight.Add(3*time.Minute), time.Millisecond), unjudged)
		s.Record(good(midnight.Add(4*time.Minute), time.Millisecond), unjudged)
		records := in.await(t, 4)
		b.await(t, "their count", func(points []receiver.Point) bool { return total(points, idAgentRecordsSent, nil) == 4 })
		e.end(t)
		checkRecords(t, records)
	})
}

// checkRecords wants what TestRecords leads to.
func checkRecords(t *testing.T, records []receiver.Record) {
	t.Helper()
	about := map[string]any{
		"wsprobe.name": "chat", "wsprobe.interpretation": "round_trip_latency", "server.address": "chat.example.com",
		"server.port": int64(443), "url.scheme": "wss", "url.path": "/socket", "team": "web",
	}
	failure := map[string]any{
		"wsprobe.reason": "ws_reply_mismatch", "error.type": "reply_mismatch", "wsprobe.detail": "no match in 2 messages",
		"wsprobe.close.code": int64(1002), "wsprobe.close.reason": "masked", "wsprobe.close.sent_by": "probe",
		"http.response.status_code": int64(101), "wsprobe.refusal.body": "body", "wsprobe.unmatched_messages": int64(2),
		"wsprobe.last_reply": "pong", "network.peer.address": "2001:db8::1", "network.peer.port": int64(443),
		"wsprobe.local_overload": true,
	}
	second := map[string]any{
		"wsprobe.reason": "ws_open_failed", "error.type": "http_403", "wsprobe.detail": "the server said: secret",
		"wsprobe.refusal.body": "secret",
	}
	const mismatch = "ws_reply_mismatch (reply_mismatch): no match in 2 messages"
	for i, want := range []struct {
		event, severity, body string
		number                int
		at                    time.Time
		attributes            []map[string]any
	}{
		{"wsprobe.outcome.changed", "WARN", "chat: probe fails: " + mismatch, 13, mismatched(midnight.Add(time.Minute)).Ended,
			[]map[string]any{about, failure, {"wsprobe.outcome": "failed", "wsprobe.outcome.previous": "ok"}}},
		{"wsprobe.run.failed", "WARN", "chat: run failed: " + mismatch, 13, mismatched(midnight.Add(time.Minute)).Ended,
			[]map[string]any{about, failure}},
		{"wsprobe.run.failed", "WARN", "chat: run failed: ws_open_failed (http_403): the server said: secret", 13,
			refused(midnight.Add(2 * time.Minute)).Ended, []map[string]any{about, second}},
		{"wsprobe.outcome.changed", "INFO", "chat: probe recovered", 9, good(midnight.Add(3*time.Minute), time.Millisecond).Ended,
			[]map[string]any{about, {"wsprobe.outcome": "ok", "wsprobe.outcome.previous": "failed",
				"wsprobe.failing_since": "2026-01-01T00:01:00Z", "wsprobe.failed_runs": int64(2)}}},
	} {
		got, attributes := records[i], make(map[string]any)
		for _, part := range want.attributes {
			maps.Copy(attributes, part)
		}
		if got.Event != want.event || got.Severity != want.severity || got.SeverityNumber != want.number || got.Body != want.body {
			t.Errorf("record %d: %s %s %d %q", i, got.Event, got.Severity, got.SeverityNumber, got.Body)
		}
		if !got.Time.Equal(want.at) || got.Observed.Before(got.Time) {
			t.Errorf("record %d: time %v, observed %v, want %v", i, got.Time, got.Observed, want.at)
		}
		if !maps.Equal(got.Attributes, attributes) {
			t.Errorf("record %d: attributes %v, want %v", i, got.Attributes, attributes)
		}
		if got.Resource["service.version"] != "1.2.3" || got.Resource["wsprobe.location"] != "attic" || got.Scope != scopeName {
			t.Errorf("record %d: resource %v, scope %s", i, got.Resource, got.Scope)
		}
	}
}

// TestEventsSayWhatRecordsBear holds the table of events to the code.
func TestEventsSayWhatRecordsBear(t *testing.T) {
	b := newBackend(t)
	in := keepRecords(b)
	e := exportTo(t, b.start(t), Options{Logs: true})
	target := chat()
	target.Labels = nil
	s := e.probe(target)
	s.Record(mismatched(midnight), unjudged)
	s.Record(good(midnight.Add(time.Minute), time.Millisecond), unjudged)
	for _, change := range []probehealth.Transition{
		{To: probehealth.Healthy, Since: midnight, At: midnight},
		{From: probehealth.Healthy, To: probehealth.NoData, Since: midnight, At: midnight.Add(time.Minute)},
		{From: probehealth.NoData, To: probehealth.Healthy, Since: midnight, At: midnight.Add(time.Hour)},
	} {
		s.records.Observe(&metrics.Observation{Probe: s.identity, Change: &change})
	}
	ended := moment(s, metrics.SessionEnded, mismatched(midnight), midnight, metrics.Session{End: cut()})
	s.records.Observe(ended)
	ended.Session.Moment, ended.Session.Finding = metrics.SessionExplained, idleLimit()
	s.records.Observe(ended)
	records := in.await(t, 6)
	if fell := records[3]; fell.Attributes["wsprobe.health"] != "no_data" || fell.Attributes["wsprobe.health.previous"] != "healthy" ||
		fell.Attributes["wsprobe.health.since"] != "2026-01-01T00:00:00Z" || !fell.Time.Equal(midnight.Add(time.Minute)) {
		t.Errorf("%v at %v", fell.Attributes, fell.Time)
	}
	e.end(t)
	rows := Events()
	for _, r := range records {
		i := slices.IndexFunc(rows, func(row Event) bool { return row.Name == r.Event && row.Severity.String() == r.Severity })
		if i < 0 {
			t.Fatalf("no row for %s %s", r.Event, r.Severity)
		}
		want := slices.Sorted(slices.Values(outside(slices.Concat(metrics.ProbeKeys(), rows[i].Attributes)))) // see TestRecordsInMaintenance
		if got := slices.Sorted(maps.Keys(r.Attributes)); !slices.Equal(got, want) {
			t.Errorf("%s %s bears %v, its row says %v", r.Event, r.Severity, got, want)
		}
		rows = slices.Delete(rows, i, i+1)
	}
	if len(rows) > 0 {
		t.Errorf("no record for %v", rows)
	}
}

// TestRecordsOutlastAnOutage: records wait while the receiver refuses, are told about once, and arrive in order.
func TestRecordsOutlastAnOutage(t *testing.T) {
	b := newBackend(t)
	in, log := keepRecords(b), newLogbook()
	var refusals int
	b.receiver.AnswerLogs = func(context.Context, *receiver.LogsRequest) error {
		if refusals++; refusals < 4 {
			return status.Error(codes.Unavailable, "not now, hunter2")
		}
		return nil
	}
	e := prepareExport(t, b.start(t), Options{Logs: true, Logger: log.logger(), Headers: map[string]string{"authorization": "Bearer hunter2"}})
	e.start(t)
	s := e.probe(chat())
	for i := range 5 {
		s.Record(refused(midnight.Add(time.Duration(i)*time.Minute)), unjudged)
	}
	records := in.await(t, 6)
	log.await(t, "export of log records gets through again")
	e.end(t)
	for i, r := range records[1:] {
		if want := refused(midnight.Add(time.Duration(i) * time.Minute)).Ended; !r.Time.Equal(want) {
			t.Errorf("record %d is of %v, want %v", i, r.Time, want)
		}
	}
	if text := log.String(); strings.Count(text, "export of log records deferred") != 1 || strings.Contains(text, "hunter2") {
		t.Errorf("log:\n%s", text)
	}
}

// TestReceiverWithoutLogs: a receiver that does not take log records is told about, and metrics arrive all the same.
func TestReceiverWithoutLogs(t *testing.T) {
	b := newBackend(t)
	log := newLogbook()
	b.receiver.AnswerLogs = func(context.Context, *receiver.LogsRequest) error {
		return status.Error(codes.Unimplemented, "unknown service")
	}
	e := exportTo(t, b.start(t), Options{Logs: true, Logger: log.logger()})
	e.probe(chat()).Record(refused(midnight), unjudged)
	log.await(t, "export of log records rejected")
	dropped := func(points []receiver.Point) bool {
		return total(points, idAgentRecordsDropped, map[string]any{"wsprobe.drop.cause": "rejected"}) == 2
	}
	b.await(t, "the count of what was dropped", dropped)
	b.await(t, "the run", runsArrived(1))
	if !e.ExportState().OK {
		t.Errorf("health %v", e.ExportState())
	}
	e.end(t)
}

// TestNoRecordsUnlessAsked: without Options.Logs there is neither a record nor a count of any.
func TestNoRecordsUnlessAsked(t *testing.T) {
	b := newBackend(t)
	in := keepRecords(b)
	e := exportTo(t, b.start(t), Options{})
	e.probe(chat()).Record(refused(midnight), unjudged)
	b.await(t, "the run", runsArrived(1))
	e.end(t)
	b.stop()
	if len(in.All()) > 0 || total(b.points, idAgentRecordsSent, nil) != -1 {
		t.Errorf("%d log records, count %v", len(in.All()), total(b.points, idAgentRecordsSent, nil))
	}
}

// TestRecordsLeadToTracesThatAreThere: a recovery whose trace is not kept leads nowhere.
func TestRecordsLeadToTracesThatAreThere(t *testing.T) {
	b := newBackend(t)
	box := keepRecords(b)
	e := exportTo(t, b.start(t), Options{Logs: true})
	s := e.probe(chat())
	s.Record(in(probe.Trace{ID: [16]byte{1}, Run: [8]byte{1}}, refused(midnight)), unjudged)
	s.Record(in(probe.Trace{ID: [16]byte{2}, Run: [8]byte{2}}, good(midnight.Add(time.Minute), time.Millisecond)), unjudged)
	records := box.await(t, 3)
	e.end(t)
	for i, want := range []string{"01", "01", ""} {
		if got := records[i].TraceID; !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("record %d is in %q", i, got)
		}
	}
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// persistAfter is how long a batch may be on its way before it is written to the spool.
const persistAfter = time.Second

// sender makes one attempt to deliver a request.
type sender func(ctx context.Context, request []byte) outbox.Answer

// ExportState says whether the export of metrics gets through.
type ExportState = outbox.State

// DropPendingFull is a cause of dropped points beside those of the package outbox: too many runs waited for a
// collection, and these were the oldest.
const DropPendingFull outbox.DropCause = "pending_full"

// DropCauses returns every cause of dropped points.
func DropCauses() []outbox.DropCause { return append(outbox.DropCauses(), DropPendingFull) }

// signals are the words of the signals in the log, and the metrics of their items. The folder holds what waits of a
// signal, below Options.SpoolDir. The folder of metrics is the directory itself, as in every version before. Versions
// that know nothing of the other folders leave them alone.
var signals = map[otlp.Signal]struct {
	outbox.Words
	folder        string
	sent, dropped metrics.ID
}{
	otlp.Metrics: {outbox.Words{Export: "export", Items: "data points", Unit: "points"}, "", idAgentSent, idAgentDropped},
	otlp.Logs: {outbox.Words{Export: "export of log records", Items: "log records", Unit: "records"}, "logs",
		idAgentRecordsSent, idAgentRecordsDropped},
	otlp.Traces: {outbox.Words{Export: "export of traces", Items: "traces", Unit: "traces"}, "traces", idAgentTracesSent, idAgentTracesDropped},
}

// openExport makes the client and the outboxes of the signals that are exported.
func (t *Telemetry) openExport() error {
	if t.options.Protocol == ProtocolNone {
		return nil
	}
	client, err := otlp.New(t.options.client())
	if err != nil {
		return err
	}
	t.route = otlp.NewRoute(client)
	return t.openBoxes(func(s otlp.Signal) sender { return t.route.Sender(s) }, outbox.Spread(t.options.InstanceID))
}

// openBoxes opens the outboxes. The one of metrics comes first, because it has the lock of the whole SpoolDir.
func (t *Telemetry) openBoxes(send func(otlp.Signal) sender, spread float64) (err error) {
	if t.metrics, err = t.openBox(otlp.Metrics, send(otlp.Metrics), spread); err != nil {
		return err
	}
	if t.records != nil {
		if t.records.box, err = t.openBox(otlp.Logs, send(otlp.Logs), spread); err != nil {
			return err
		}
	}
	if t.traces != nil {
		t.traces.box, err = t.openBox(otlp.Traces, send(otlp.Traces), spread)
	}
	return err
}

// openBox opens the outbox of a signal.
func (t *Telemetry) openBox(s otlp.Signal, send sender, spread float64) (*outbox.Outbox, error) {
	o := t.options
	options := outbox.Options{
		Send:        send,
		Split:       s.Split,
		MemoryBytes: o.share(s, min(o.QueueBytes, DefaultQueueBytes)),
		MaxAge:      o.QueueAge,
		Interleave:  o.Interleave,
		Spread:      spread,
		Observer:    t.observer(s),
		Words:       signals[s].Words,
		Log:         t.log,
	}
	o.pace(&options)
	if o.SpoolDir == "" {
		options.MemoryBytes = o.share(s, o.QueueBytes)
	} else {
		options.Dir = filepath.Join(o.SpoolDir, signals[s].folder)
		options.DiskBytes = o.share(s, o.QueueBytes)
		options.DiskPatience = o.StopBudget // a stop waits for the disk as long as for the receiver
	}
	box, err := outbox.Open(options)
	if err == nil {
		t.boxes = append(t.boxes, box)
	}
	return box, err
}

// pace sets the times of an outbox, which depend on the interval.
func (o Options) pace(box *outbox.Options) {
	box.PersistAfter = o.Interval / 2 // no hurry: it only saves memory
	if o.SpoolDir != "" {
		box.PersistAfter = min(persistAfter, o.Interval/2)
	}
	// Short enough for the last collection to have its turn before the stop budget is used up.
	box.Patience = min(o.Interval, o.StopBudget) / 2
	box.Recent = o.Interval + box.Patience
	box.Grace = 2 * o.Interval
}

// observer counts what becomes of a signal.
func (t *Telemetry) observer(s otlp.Signal) outbox.Observer {
	sent, dropped := signals[s].sent, signals[s].dropped
	return outbox.Observer{
		Answered: func(a outbox.Answer, accepted int) {
			if s == otlp.Metrics {
				t.producer.worth.answered(a.Outcome)
				t.self.add(idAgentRequests, 1, string(a.Outcome), a.ErrorType)
			}
			t.self.add(sent, accepted)
		},
		Dropped:          func(cause outbox.DropCause, items int) { t.self.add(dropped, items, string(cause)) },
		SpoolFailed:      func(kind string) { t.self.add(idAgentSpoolFailures, 1, kind) },
		UnrecognizedFile: func() { t.self.add(idAgentSpoolUnrecognizedFiles, 1) },
	}
}

// Close gives back what New took, if Run is never called.
func (t *Telemetry) Close() error { return t.close() }

// close ends the export. What was not delivered stays in the spool if it got there.
func (t *Telemetry) close() error {
	var errs []error
	for _, box := range t.boxes {
		errs = append(errs, box.Close())
	}
	if t.route != nil {
		errs = append(errs, t.route.Close())
	}
	t.limited.flush()
	return errors.Join(errs...)
}

// backlog returns how much waits of all signals.
func (t *Telemetry) backlog() outbox.Backlog {
	var all outbox.Backlog
	for _, box := range t.boxes {
		one := box.Backlog()
		all.Batches += one.Batches
		all.Bytes += one.Bytes
		all.Age = max(all.Age, one.Age)
	}
	return all
}

// ExportState says whether the export of metrics gets through. It always does with ProtocolNone.
func (t *Telemetry) ExportState() ExportState {
	if t.metrics == nil {
		return ExportState{OK: true, Since: t.producer.start}
	}
	return t.metrics.State()
}

// Notes are sentences about the export that people should know although exports get through.
func (t *Telemetry) Notes() []string {
	var notes []string
	if r := t.ExportState().Refusal; !r.At.IsZero() {
		notes = append(notes, fmt.Sprintf("the receiver refused %d data points for good, the last %s ago: %s",
			r.Items, time.Since(r.At).Round(time.Second), r.Detail))
	}
	if behind := t.producer.times.behind(); behind > 0 {
		notes = append(notes, fmt.Sprintf("the clock is %s behind the last time that was exported: "+
			"Prometheus refuses results until it has caught up", behind.Round(time.Second)))
	}
	return notes
}

package telemetry

import (
	"context"
	"hash/fnv"
	"log/slog"
	"time"
)

// Retries of the delivery.
const (
	firstPause  = time.Second
	longPause   = 10 * time.Second
	maxThrottle = 5 * time.Minute // even if the receiver asks for more
	searchPause = 50 * time.Millisecond
	maxStrikes  = 20 // a busy receiver that refuses at random will have accepted long before
)

// delivery takes batches from the queue to the receiver.
type delivery struct {
	queue  *queue
	send   func(context.Context, content) verdict
	agent  *agent
	health *health
	log    *limitedLog
	// interleave lets news take turns with a backlog. Without it batches go in the order of time.
	interleave bool
	// patience is how long news wait for what is older, so that a short outage arrives in order of time,
	// which some back ends insist on, and a long one does not hold up the present.
	patience time.Duration
	// recent is how long a batch is news.
	recent time.Duration
	// spread is this agent's factor on pauses, so that a fleet does not come back in step.
	spread float64

	// The goroutine of run has these to itself.
	pass    int
	fails   int       // deferrals in a row
	flowing time.Time // since when requests get through; zero if they do not
}

// spreadOf derives a factor from 0.8 to 1.2 from a name.
func spreadOf(name string) float64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return 0.8 + 0.4*float64(h.Sum32()%1000)/1000
}

// run delivers until last is closed, which says that nothing more comes, and a last pass has been made. It
// gives up when ctx ends.
func (d *delivery) run(ctx context.Context, last <-chan struct{}) {
	for {
		pause := d.deliver(ctx, false)
		wake, retry := d.queue.wake, (<-chan time.Time)(nil)
		if pause > 0 {
			wake, retry = nil, time.After(pause)
		}
		select {
		case <-wake:
		case <-retry:
		case <-last:
			d.deliver(ctx, true)
			return
		case <-ctx.Done():
			return
		}
	}
}

// deliver makes one pass over the queue. It returns 0 if the queue is empty, else how long to wait before the
// next pass.
//
// A deferral ends the pass, since the receiver would treat the next request no better, and since no request may overtake
// another. With interleave, if the deferral can be about the one request alone, the next one is asked for a second
// opinion. If that is accepted the pass goes on, and the first has a strike against it: after many of them it is given up.
// What was deferred is due again after its pause, and the pass ends then, even if new batches come faster than they
// can be sent; not so the last pass, after which nothing comes any more.
func (d *delivery) deliver(ctx context.Context, last bool) time.Duration {
	if !d.interleave && !last && d.queue.searching(time.Now()) {
		return searchPause
	}
	d.pass++
	var (
		retry    time.Time // when what was deferred is due again
		accepted bool      // the last request
		doubtful *batch    // the last request, if it was deferred for a reason that can be its own
	)
	for ctx.Err() == nil && (last || retry.IsZero() || time.Now().Before(retry)) {
		b, c := d.queue.next(d.pass, d.news(time.Now()))
		if b == nil {
			break
		}
		c, ok := d.queue.fetch(b, c)
		if !ok {
			d.queue.keep(b, d.pass)
			continue
		}
		v := d.send(ctx, c)
		if v.unreadable != "" {
			d.queue.spoilt(b, c, v.unreadable)
			continue
		}
		d.account(b, v)
		if v.outcome != Deferred {
			d.queue.remove(b)
			accepted = v.outcome != Rejected
			if accepted && doubtful != nil {
				d.strike(doubtful)
			}
			doubtful = nil
			continue
		}
		b.unanswered = b.unanswered || v.unanswered
		d.queue.keep(b, d.pass)
		signal(d.queue.unsettled)
		pause := d.pause(v.retryAfter)
		if (!d.interleave || v.tooLarge) && d.relent(b, c, v) {
			continue
		}
		if retry.IsZero() {
			retry = time.Now().Add(pause)
		}
		switch {
		case !d.interleave || !v.doubtful || doubtful != nil:
			return pause
		case accepted:
			d.strike(b)
			accepted = false
		default:
			doubtful = b
		}
	}
	if retry.IsZero() {
		return 0
	}
	return max(time.Until(retry), 1)
}

// relent takes a batch out of the way that all others wait for, after it was refused many times for a reason that can be its
// own, or at once for its size. It is split in two, whose halves have as many tries again, and then given up: else it would
// block all others until it expires.
func (d *delivery) relent(b *batch, c content, v verdict) (gone bool) {
	if !v.doubtful {
		return false
	}
	if b.strikes++; b.strikes < maxStrikes && !v.tooLarge {
		return false
	}
	if !b.part || v.tooLarge {
		if parts, err := b.split(c); err == nil && len(parts) > 0 {
			d.log.log(slog.LevelWarn, "export split in two: the receiver does not take it whole", "points", b.points, "message", v.message)
			d.queue.split(b, parts)
			return true
		}
	}
	d.giveUp(b, v.message)
	return true
}

// news returns when batches must have been collected to take turns with older ones: a while ago, but not long ago. It is
// never, and all go in order, until requests have got through for a while.
func (d *delivery) news(now time.Time) window {
	if !d.interleave || d.flowing.IsZero() || now.Sub(d.flowing) < d.patience {
		return window{}
	}
	return window{from: now.Add(-d.recent), before: now.Add(-d.patience)}
}

// pause returns how long to wait after the present number of deferrals.
func (d *delivery) pause(asked time.Duration) time.Duration {
	own := min(longPause, firstPause<<min(d.fails-1, 10))
	own = time.Duration(float64(own) * d.spread)
	return max(own, min(asked, maxThrottle))
}

// strike notes that a batch was refused while another was accepted.
func (d *delivery) strike(b *batch) {
	if b.strikes++; b.strikes >= maxStrikes {
		d.giveUp(b, "the receiver accepts others")
	}
}

// giveUp drops a batch that is deferred time and again.
func (d *delivery) giveUp(b *batch, why string) {
	d.queue.remove(b)
	d.agent.drop(DropRejected, b.points)
	d.health.refuse(time.Now(), b.points, why)
	d.log.log(slog.LevelError, "export given up: the receiver does not take it", "points", b.points, "message", why)
}

// account counts and tells what became of a batch.
func (d *delivery) account(b *batch, v verdict) {
	sent, now := 0, time.Now()
	switch v.outcome {
	case Accepted, Partial:
		v.rejected = min(v.rejected, b.points)
		sent = b.points - v.rejected
	case Rejected:
		v.rejected = b.points
	}
	d.agent.request(requestKind{v.outcome, v.errorType}, sent)
	if v.rejected > 0 {
		d.agent.drop(dropCause(b, v), v.rejected)
	}
	if v.outcome == Deferred {
		d.fails++
		d.flowing = time.Time{}
	} else {
		d.fails = 0
		if d.flowing.IsZero() {
			d.flowing = now
		}
	}
	d.report(b, v, now)
}

// dropCause is why points of a batch are dropped that the receiver refused. If the answer to an earlier try was lost, the
// receiver mostly has them, and refuses them for that.
func dropCause(b *batch, v verdict) DropCause {
	if v.outcome == Rejected && b.unanswered {
		return DropRepeated
	}
	return DropRejected
}

// report keeps the health and tells the log.
func (d *delivery) report(b *batch, v verdict, now time.Time) {
	repeated := dropCause(b, v) == DropRepeated
	before := d.health.note(now, b.points, v, repeated)
	switch {
	case v.outcome == Deferred:
		d.log.log(slog.LevelWarn, "export deferred", "error.type", v.errorType, "message", v.message,
			"since", d.health.get().Since)
	case repeated:
		d.log.log(slog.LevelInfo, "export repeated, as its answer was lost, and refused: the receiver should have it already",
			"error.type", v.errorType, "message", v.message, "points", b.points)
	case v.outcome == Rejected:
		d.log.log(slog.LevelError, "export rejected", "error.type", v.errorType, "message", v.message,
			"points", b.points)
	case v.message != "" || v.rejected > 0:
		d.log.log(slog.LevelWarn, "export accepted with a remark", "message", v.message,
			"rejected_points", v.rejected)
	case !before.OK:
		d.log.log(slog.LevelInfo, "export gets through again", "failed_for", now.Sub(before.Since).Round(time.Second))
	}
}

package outbox

import (
	"context"
	"hash/fnv"
	"time"
)

// Retries of the delivery.
const (
	firstPause  = time.Second
	longPause   = 10 * time.Second
	searchPause = 50 * time.Millisecond
	maxStrikes  = 20 // a busy receiver that refuses at random will have accepted long before
)

// MaxThrottle is the longest pause that a receiver can ask for.
const MaxThrottle = 5 * time.Minute

// delivery takes batches from the queue to the receiver.
type delivery struct {
	report *report
	queue  *queue
	send   func(ctx context.Context, request []byte) Answer
	cut    func(request []byte) ([]Part, error) // or nil
	// interleave lets news take turns with a backlog. Without it batches go in the order of time.
	interleave bool
	pace       *pace
	again      chan struct{} // holds a value when a pause is to end
	// spread is this process's factor on pauses, so that a fleet does not come back in step.
	spread float64

	// Only the goroutine of run uses these.
	pass    int
	fails   int       // deferrals in a row
	flowing time.Time // since when requests get through; zero if they do not
}

// Spread returns a factor from 0.8 to 1.2 that depends on a name, for Options.Spread.
func Spread(name string) float64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return 0.8 + 0.4*float64(h.Sum32()%1000)/1000
}

// run delivers until last is closed, which says that nothing more comes, and a last pass has been made. It gives up
// when ctx ends.
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
		case <-d.again:
			d.fails = 0
		case <-last:
			d.deliver(ctx, true)
			return
		case <-ctx.Done():
			return
		}
	}
}

// deliver makes one pass over the queue. It returns 0 if the queue is empty, else how long to wait before the next
// pass.
//
// A deferral ends the pass, because the receiver would treat the next request no better, and because no request may
// overtake another. With interleave, if the deferral can be about the one request alone, the pass tries the next
// request for a second opinion. If that is accepted the pass goes on, and the first one has a strike against it: many
// strikes drop it. A deferred batch is due again after its pause, and the pass ends then, even if new batches come
// faster than they can be sent. The last pass does not end so, because nothing comes any more.
func (d *delivery) deliver(ctx context.Context, last bool) time.Duration {
	if !d.interleave && !last && d.queue.searching(time.Now()) {
		return searchPause
	}
	d.pass++
	var (
		retry    time.Time // when the first deferred batch is due again
		accepted bool      // the last request
		doubtful *batch    // the last request, if it was deferred for a reason that can be its own
	)
	for ctx.Err() == nil && (last || retry.IsZero() || time.Now().Before(retry)) {
		b, c := d.queue.next(d.pass, d.news(time.Now()))
		if b == nil {
			break
		}
		request, ok := d.queue.read(b, c)
		if !ok {
			d.queue.keep(b, d.pass)
			continue
		}
		a := d.send(ctx, request)
		d.account(b, a)
		if a.Outcome != Deferred {
			d.queue.remove(b)
			accepted = a.Outcome != Rejected
			if accepted && doubtful != nil {
				d.strike(doubtful)
			}
			doubtful = nil
			continue
		}
		b.unanswered = b.unanswered || a.Unanswered
		d.queue.keep(b, d.pass)
		signal(d.queue.urgent)
		pause := d.pause(a.RetryAfter)
		if (!d.interleave || a.TooLarge) && d.relent(b, request, a) {
			continue
		}
		if retry.IsZero() {
			retry = time.Now().Add(pause)
		}
		switch {
		case !d.interleave || !a.Doubtful || doubtful != nil:
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

// account counts an answer and tells of it.
func (d *delivery) account(b *batch, a Answer) {
	now := time.Now()
	switch {
	case a.Outcome == Deferred:
		d.fails++
		d.flowing = time.Time{}
	default:
		d.fails = 0
		if d.flowing.IsZero() {
			d.flowing = now
		}
	}
	d.report.answered(b, a, now)
}

// relent takes a batch out of the way of all others after many refusals for a reason that can be its own, or at once
// for its size. It splits the batch in two, gives the halves as many tries again, and then drops them: otherwise the
// batch would block all others until it expires.
func (d *delivery) relent(b *batch, request []byte, a Answer) (gone bool) {
	if !a.Doubtful {
		return false
	}
	if b.strikes++; b.strikes < maxStrikes && !a.TooLarge {
		return false
	}
	if !b.part || a.TooLarge {
		if parts := d.split(b, request); len(parts) > 0 {
			d.report.wasSplit(b, a)
			d.queue.split(b, parts)
			return true
		}
	}
	d.giveUp(b, a.Message)
	return true
}

// split returns the parts of a batch; none if it cannot be split.
func (d *delivery) split(b *batch, request []byte) []*batch {
	if d.cut == nil {
		return nil
	}
	parts, err := d.cut(request)
	if err != nil {
		return nil
	}
	var all []*batch
	for _, p := range parts {
		packed, err := Pack(p.Request)
		if err != nil {
			return nil
		}
		all = append(all, &batch{
			content: content{packed: packed}, items: p.Items, at: b.at, part: true, unanswered: b.unanswered,
		})
	}
	return all
}

// news returns when batches must have been collected to take turns with older ones: a while ago, but not long ago. It
// is never, and all go in order, until requests have got through for a while.
func (d *delivery) news(now time.Time) window {
	patience := d.pace.patience.get()
	if !d.interleave || d.flowing.IsZero() || now.Sub(d.flowing) < patience {
		return window{}
	}
	return window{from: now.Add(-d.pace.recent.get()), before: now.Add(-patience)}
}

// pause returns how long to wait after the present number of deferrals.
func (d *delivery) pause(asked time.Duration) time.Duration {
	own := min(longPause, firstPause<<min(d.fails-1, 10))
	own = time.Duration(float64(own) * d.spread)
	return max(own, min(asked, MaxThrottle))
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
	d.report.givenUp(b, why)
}

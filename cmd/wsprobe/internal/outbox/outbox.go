package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// maxUnsaved is how many unsaved batches may be in memory: one on its way, and one that is made meanwhile.
const maxUnsaved = 2

// Options say where requests go, and what bounds them.
type Options struct {
	// Send makes one attempt to deliver a request. It must return soon after ctx ends.
	Send func(ctx context.Context, request []byte) Answer
	// Split cuts a request in two parts, the older items before the newer ones. It returns none for a request of one
	// item. Nil: requests cannot be split.
	Split func(request []byte) ([]Part, error)

	// Dir is the directory in which batches wait, so that they outlive this process. It is made if it is absent, and no
	// two processes can share it. While it cannot be used, batches wait in memory. Empty: always in memory.
	Dir string
	// DiskPatience is how long a call waits for the file system; 2 s if it is 0.
	DiskPatience time.Duration
	// MemoryBytes bounds the persisted batches in memory, DiskBytes the batches on disk, in bytes.
	MemoryBytes, DiskBytes int64
	// MaxAge bounds how long a batch waits; 0 for no bound.
	MaxAge time.Duration
	// PersistAfter is how long a batch may be on its way before it is persisted; 1 s if it is 0.
	PersistAfter time.Duration

	// Interleave sends every other request from the present while a backlog is delivered.
	Interleave bool
	// Patience is how long new batches wait for older ones with Interleave, and Recent how long they are new.
	Patience, Recent time.Duration
	// Spread is a factor on the pauses between attempts, so that a fleet does not come back in step. See [Spread]. 1 if
	// it is 0.
	Spread float64
	// Grace is how long no request may be accepted before refusals count as a failure, see [State].
	Grace time.Duration

	Observer Observer
	Words    Words
	// Log is told of failures. Lines with the same message can be many. Default: none.
	Log *slog.Logger
}

// Outbox takes batches to one receiver. Its methods can be called by several goroutines, except for Add, which one at a
// time may call, and Run and Close, which are called once.
type Outbox struct {
	report      *report
	queue       *queue
	delivery    *delivery
	persistence *persistence
	pace        *pace
	delivered   chan struct{} // closed when nothing is delivered any more
}

// Backlog is how much waits in an Outbox.
type Backlog struct {
	Batches int
	Bytes   int64         // of persisted batches
	Age     time.Duration // of the oldest batch; 0 if none waits
}

// Open makes an Outbox. It takes the directory, if there is one, which [Outbox.Close] gives back. The error says that
// another process has the directory. Any other trouble with it is no error, because it can pass.
func Open(o Options) (*Outbox, error) {
	box := newOutbox(o)
	if err := box.queue.open(time.Now()); err != nil {
		return nil, err
	}
	return box, nil
}

// newOutbox puts the parts together.
func newOutbox(o Options) *Outbox {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	pace := newPace(o)
	r := &report{observer: o.Observer.filled(), words: o.Words, state: newTracker(pace), log: o.Log}
	bounds := limits{memory: o.MemoryBytes, age: o.MaxAge}
	var disk *spool.Store
	if o.Dir != "" {
		bounds.disk = o.DiskBytes
		disk = &spool.Store{
			Dir:  spool.Dir{Path: o.Dir, Patience: o.DiskPatience},
			Kept: "undelivered exports", Failed: r.observer.SpoolFailed, Unrecognized: r.unrecognized, Log: o.Log,
		}
	}
	q := newQueue(bounds, disk, r.dropped)
	if disk != nil {
		disk.Dir.Scanned = func() { signal(q.urgent) } // so that late finds are loaded without delay
	}
	return &Outbox{
		report: r,
		queue:  q,
		delivery: &delivery{
			report: r, queue: q, send: o.Send, cut: o.Split, interleave: o.Interleave, pace: pace, spread: cmp.Or(o.Spread, 1),
			again: make(chan struct{}, 1),
		},
		persistence: &persistence{queue: q, pace: pace, failing: r.state.failing},
		pace:        pace,
		delivered:   make(chan struct{}),
	}
}

// Add appends a batch. It returns when there is room in memory for another one, which is soon: batches that are not
// delivered are persisted. It needs Run to be under way, or to have ended.
func (o *Outbox) Add(b Batch) {
	o.queue.add(newBatch(b))
	for {
		if n, _, _ := o.queue.unsaved(); n < maxUnsaved {
			return
		}
		select {
		case <-o.queue.settled:
		case <-o.delivered:
			return
		}
	}
}

// Run delivers until last is closed, which says that nothing more comes, and a last pass over all batches has been
// made. It gives up when ctx ends.
func (o *Outbox) Run(ctx context.Context, last <-chan struct{}) {
	var persisting sync.WaitGroup
	persisting.Go(func() { o.persistence.run(o.delivered) })
	o.delivery.run(ctx, last)
	close(o.delivered)
	persisting.Wait()
}

// Close persists what was not delivered, tells the log what is left, and gives the directory back. Run must have
// returned.
func (o *Outbox) Close() error {
	if o.queue.disk != nil {
		o.queue.persist(time.Now())
	}
	lost, kept := o.queue.items()
	o.report.left(lost, kept)
	return o.queue.close()
}

// State says whether requests get through.
func (o *Outbox) State() State { return o.report.state.get() }

// Backlog returns how much waits now.
func (o *Outbox) Backlog() Backlog { return o.queue.backlog(time.Now()) }

package outbox

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stub is a receiver of numbers in a bubble: a request is a byte for each number.
type stub struct {
	// answer is called for each request with its number, counted from 0. Nil accepts all.
	answer func(ctx context.Context, n int) Answer

	mu    sync.Mutex
	calls []call
}

// call is one request that the stub saw.
type call struct {
	at      time.Time
	numbers []byte
	outcome Outcome
}

func (s *stub) send(ctx context.Context, request []byte) Answer {
	s.mu.Lock()
	n := len(s.calls)
	s.calls = append(s.calls, call{at: time.Now(), numbers: request})
	s.mu.Unlock()
	a := Answer{Outcome: Accepted}
	if s.answer != nil {
		a = s.answer(ctx, n)
	}
	s.mu.Lock()
	s.calls[n].outcome = a.Outcome
	s.mu.Unlock()
	return a
}

// delivered returns the numbers that were accepted, in order.
func (s *stub) delivered() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []byte
	for _, c := range s.calls {
		if c.outcome == Accepted || c.outcome == Partial {
			all = append(all, c.numbers...)
		}
	}
	return all
}

// away defers every request until a time after the start.
func away(until time.Duration) func(context.Context, int) Answer {
	back := time.Now().Add(until)
	return func(context.Context, int) Answer {
		if time.Now().Before(back) {
			return Answer{Outcome: Deferred, ErrorType: "UNAVAILABLE", Message: "connection refused"}
		}
		return Answer{Outcome: Accepted}
	}
}

// hang takes as long as it is let, like a receiver that never answers.
func hang(ctx context.Context, _ int) Answer {
	<-ctx.Done()
	return Answer{Outcome: Deferred, ErrorType: "CANCELLED", Message: ctx.Err().Error()}
}

// counts are the numbers that an Outbox reports.
type counts struct {
	mu           sync.Mutex
	requests     map[string]int // by outcome and error type
	sent         int
	dropped      map[DropCause]int
	failures     map[string]int
	unrecognized int
}

func (c *counts) observer() Observer {
	locked := func(change func()) {
		c.mu.Lock()
		defer c.mu.Unlock()
		change()
	}
	c.requests, c.dropped, c.failures = make(map[string]int), make(map[DropCause]int), make(map[string]int)
	return Observer{
		Answered: func(a Answer, accepted int) {
			locked(func() { c.requests[strings.TrimSpace(string(a.Outcome)+" "+a.ErrorType)]++; c.sent += accepted })
		},
		Dropped:          func(cause DropCause, items int) { locked(func() { c.dropped[cause] += items }) },
		SpoolFailed:      func(kind string) { locked(func() { c.failures[kind]++ }) },
		UnrecognizedFile: func() { locked(func() { c.unrecognized++ }) },
	}
}

// itemsBesides is how many items each batch of a running Outbox has besides its numbers.
const itemsBesides = 10

// stopBudget is what a stop may take.
const stopBudget = 2 * time.Second

// running is an Outbox that runs in a bubble, with a collection every interval.
type running struct {
	*Outbox
	*counts
	interval time.Duration
	began    time.Time
	count    int
	pending  []byte
	cancel   context.CancelFunc
	done     chan struct{}
}

func start(t *testing.T, interval time.Duration, o Options, s *stub) *running {
	t.Helper()
	r := prepare(t, interval, o, s)
	r.start(t)
	return r
}

// prepare makes an Outbox that does not run yet.
func prepare(t *testing.T, interval time.Duration, o Options, s *stub) *running {
	t.Helper()
	r := &running{counts: &counts{}, interval: interval, done: make(chan struct{})}
	o.Send, o.Observer = s.send, r.observer()
	o.DiskPatience = stopBudget
	o.Patience, o.Recent = min(interval, stopBudget)/2, interval+min(interval, stopBudget)/2
	o.Grace = 2 * interval
	o.Words = Words{Export: "export", Items: "data points", Unit: "points"}
	for _, bound := range []*int64{&o.MemoryBytes, &o.DiskBytes} {
		if *bound == 0 {
			*bound = 32 << 20
		}
	}
	o.PersistAfter = min(time.Second, interval/2)
	if o.Dir == "" {
		o.PersistAfter = interval / 2
	}
	var err error
	if r.Outbox, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.queue.close() })
	r.began = time.Now()
	return r
}

func (r *running) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	working, abort := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		select {
		case <-time.After(stopBudget):
			abort()
		case <-working.Done():
		}
	})
	last := make(chan struct{})
	go func() {
		defer close(last)
		ticker := time.NewTicker(r.interval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
			r.collect()
		}
	}()
	go func() {
		defer close(r.done)
		defer abort()
		r.Run(working, last)
	}()
}

// collect makes a batch of what was recorded.
func (r *running) collect() {
	r.mu.Lock()
	numbers := r.pending
	r.pending = nil
	r.mu.Unlock()
	r.Add(Batch{Encode: func() ([]byte, error) { return numbers, nil }, Items: len(numbers) + itemsBesides, At: time.Now()})
}

// record notes the next number, from 1.
func (r *running) record() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.pending = append(r.pending, byte(r.count))
}

// until sleeps until a time after the start and lets everything settle.
func (r *running) until(d time.Duration) {
	time.Sleep(time.Until(r.began.Add(d)))
	synctest.Wait()
}

// stop stops the Outbox and returns how long that takes.
func (r *running) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	r.cancel()
	<-r.done
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return time.Since(began)
}

// times returns when the stub was called, after the start.
func (r *running) times(s *stub) []time.Duration {
	var all []time.Duration
	for _, c := range s.calls {
		all = append(all, c.at.Sub(r.began))
	}
	return all
}

func seconds(n ...float64) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s*float64(time.Second)))
	}
	return all
}

// logger writes a log as lines.
func logger(l io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// batchFiles returns the names of the batches in a directory.
func batchFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.batch"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// packedSize is how many bytes a request of a few numbers takes when it is packed.
func packedSize(t *testing.T, request ...byte) int {
	t.Helper()
	packed, err := Pack(request)
	if err != nil {
		t.Fatal(err)
	}
	return len(packed)
}

package buffer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"
)

// payloads are events of 300 bytes of 100 probes.
func payloads(n int) []Item {
	all := make([]Item, n)
	for i := range all {
		all[i] = Item{
			ID: fmt.Sprintf("0197a5c0-0000-7000-8000-%012d", i), Lane: fmt.Sprint("probe-", i%100), At: time.Now(),
			Encoding: "json", Text: make([]byte, 300), Slot: 48,
		}
	}
	return all
}

// BenchmarkWay is an event's way: Add, its share of a batch of Next, Accept.
func BenchmarkWay(b *testing.B) {
	for _, batch := range []int{1, 100} {
		for _, place := range []string{"memory", "disk"} {
			b.Run(fmt.Sprintf("%s/batch=%d", place, batch), func(b *testing.B) {
				o := Options{MaxEvents: 10_000, MaxBytes: 16 << 20}
				if place == "disk" {
					o.Dir = b.TempDir()
				}
				box, err := Open(o)
				if err != nil {
					b.Fatal(err)
				}
				ctx, stop := context.WithCancel(context.Background())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					box.Run(ctx)
				}()
				events := payloads(1000)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					box.Add(events[i%1000])
					if i%batch == batch-1 {
						items, err := box.Next(ctx, 0, Batch{Events: batch}, 0)
						if err != nil {
							b.Fatal(err)
						}
						box.Accept(items...)
					}
				}
				b.StopTimer()
				stop()
				<-ended
				if err := box.Close(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// BenchmarkAddFull adds to a full buffer that discards its oldest event each time, while 1000 events are in flight.
func BenchmarkAddFull(b *testing.B) {
	box, err := Open(Options{Lanes: 4, MaxEvents: 10_000})
	if err != nil {
		b.Fatal(err)
	}
	events := payloads(20_000)
	for _, e := range events {
		box.Add(e)
	}
	for lane := range 4 {
		if _, err := box.Next(context.Background(), lane, Batch{Events: 1000}, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		box.Add(events[i%len(events)])
	}
}

// BenchmarkBacklog puts a million events of 1 KiB on disk, and takes them from there.
func BenchmarkBacklog(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		box, err := Open(Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			box.Run(ctx)
		}()
		began, most := time.Now(), uint64(0)
		for i := range n {
			box.Add(Item{ID: fmt.Sprint(i), Lane: fmt.Sprint(i % 100), At: time.Now(), Text: make([]byte, 1024)})
			for box.unwritten() > mostFresh*3/4 {
				time.Sleep(time.Millisecond)
			}
			if i%10_000 == 0 {
				most = max(most, heap()-before)
			}
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "in/s")
		b.ReportMetric(float64(len(box.blocks)), "blocks")
		began = time.Now()
		box.Seal()
		for i := 0; ; {
			items, err := box.Next(ctx, 0, Batch{Events: 100}, 0)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			box.Accept(items...)
			if i += len(items); i%10_000 == 0 {
				most = max(most, heap()-before)
			}
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "out/s")
		b.ReportMetric(float64(most)/(1<<20), "MiB")
		if c := box.Counts(); c.Accepted != n {
			b.Fatalf("%+v", c)
		}
		stop()
		<-ended
		if err := box.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// unwritten is what is in memory only, in bytes.
func (b *Buffer) unwritten() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.freshBytes
}

// heap returns the bytes of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

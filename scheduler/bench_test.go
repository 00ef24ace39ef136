package scheduler

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var sizes = []int{10_000, 100_000}

func jobsOf(n int, interval time.Duration) []Job {
	jobs := make([]Job, n)
	for i := range jobs {
		jobs[i] = Job{Name: fmt.Sprint("probe-", i), Interval: interval, Run: func(context.Context, Tick) {}}
	}
	return jobs
}

// BenchmarkLateness starts jobs of 10 s in real time and reports how late the starts are. One iteration is one
// start; its pace is set by the clock, so ns/op would mean nothing and is left out. Run it with a -benchtime of
// 10s or more to see the steady state, as the first 5 s hold the first run of every job.
func BenchmarkLateness(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("jobs=%d", n), func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			late := make([]time.Duration, b.N)
			var started atomic.Int64
			s := &Scheduler{
				Jobs: jobsOf(n, 10*time.Second),
				Observer: Observer{Started: func(_ string, tick Tick) {
					i := int(started.Add(1)) - 1
					if i < len(late) {
						late[i] = tick.Late
					}
					if i == len(late)-1 {
						stop()
					}
				}},
			}
			if err := s.Run(ctx); err != nil {
				b.Fatal(err)
			}
			slices.Sort(late)
			quantile := func(q float64) float64 {
				return float64(late[int(q*float64(len(late)-1))]) / float64(time.Microsecond)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(quantile(0.5), "p50-µs")
			b.ReportMetric(quantile(0.99), "p99-µs")
			b.ReportMetric(quantile(1), "max-µs")
		})
	}
}

// BenchmarkWaiting builds the loop of jobs that wait and reports what they cost beside the jobs themselves.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("jobs=%d", n), func(b *testing.B) {
			s := &Scheduler{Jobs: jobsOf(n, 10*time.Second)}
			before := heapInUse()
			l := newLoop(s)
			size := heapInUse() - before
			runtime.KeepAlive(l)
			for b.Loop() {
				newLoop(s)
			}
			b.ReportMetric(float64(size)/float64(n), "B/job")
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkPostpone is the part of a start whose cost depends on the number of jobs, and shows how little.
func BenchmarkPostpone(b *testing.B) {
	for _, n := range append([]int{100}, sizes...) {
		b.Run(fmt.Sprintf("jobs=%d", n), func(b *testing.B) {
			l := newLoop(&Scheduler{Jobs: jobsOf(n, 10*time.Second)})
			for b.Loop() {
				l.waiting.postpone(l.waiting.due() + 10*time.Second)
			}
		})
	}
}

// BenchmarkReplace changes one of 100,000 jobs, again and again. What it takes is what a tick can be late by.
func BenchmarkReplace(b *testing.B) {
	jobs := jobsOf(100_000, time.Hour)
	s := &Scheduler{Jobs: jobs}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for b.Loop() {
		jobs[0].Generation++
		if err := s.Replace(jobs); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	<-ended
}

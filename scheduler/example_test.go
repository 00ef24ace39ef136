package scheduler_test

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// A job runs on its interval until somebody stops the scheduler.
func ExampleScheduler_Run() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	runs := 0
	s := &scheduler.Scheduler{
		MaxConcurrent: 256,
		Jobs: []scheduler.Job{{
			Name:     "chat",
			Interval: 20 * time.Millisecond,
			Run: func(ctx context.Context, tick scheduler.Tick) {
				runs++
				fmt.Println("run", runs)
				if runs == 3 {
					stop()
				}
			},
		}},
	}
	if err := s.Run(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("stopped with", s.InFlight(), "in flight")
	// Output:
	// run 1
	// run 2
	// run 3
	// stopped with 0 in flight
}

// A job never overlaps itself. The observer hears of the ticks for which it is still busy.
func ExampleObserver() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	s := &scheduler.Scheduler{
		Jobs: []scheduler.Job{{
			Name:     "slower than its interval",
			Interval: 20 * time.Millisecond,
			Run:      func(ctx context.Context, _ scheduler.Tick) { <-ctx.Done() },
		}},
		Observer: scheduler.Observer{
			Started: func(job string, tick scheduler.Tick) {
				fmt.Println("started, late:", tick.Late > time.Hour)
			},
			Skipped: func(job string, cause scheduler.Skip, ticks int) {
				if cause == scheduler.SkipOverlap && ctx.Err() == nil { // a busy machine may miss a tick as well
					fmt.Println("skipped:", cause)
					stop()
				}
			},
		},
	}
	if err := s.Run(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// started, late: false
	// skipped: overlap
}

// The jobs change while the scheduler runs: a run of the old job ends by its context, and the new job starts.
func ExampleScheduler_Replace() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	begun, ended, ran := make(chan bool, 1), make(chan bool, 1), make(chan bool, 1)
	s := &scheduler.Scheduler{
		Jobs: []scheduler.Job{{
			Name:     "old",
			Interval: 20 * time.Millisecond,
			Run: func(ctx context.Context, _ scheduler.Tick) {
				begun <- true
				<-ctx.Done()
				ended <- true
			},
		}},
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			log.Fatal(err)
		}
	})

	<-begun
	err := s.Replace([]scheduler.Job{{
		Name:     "new",
		Interval: 20 * time.Millisecond,
		Run: func(context.Context, scheduler.Tick) {
			select {
			case ran <- true:
			default:
			}
		},
	}})
	if err != nil {
		log.Fatal(err)
	}
	<-ended
	fmt.Println("the old job has ended")
	<-ran
	fmt.Println("the new job has run")

	stop()
	running.Wait()
	// Output:
	// the old job has ended
	// the new job has run
}

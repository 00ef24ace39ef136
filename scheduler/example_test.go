package scheduler_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

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
				fmt.Println("skipped:", cause)
				stop()
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

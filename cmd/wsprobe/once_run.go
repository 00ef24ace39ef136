package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// shot is one run of a probe of `once`, and what was seen of it. The number counts from 1; it is 0 if there is only
// one.
type shot struct {
	probe  config.Probe
	number int
	result probe.Result
	watch  *probe.Watch
}

// observation is the run with the health of its probe by this run alone, and with hints in these words.
func (s shot) observation(words reasons.Words) metrics.Observation {
	p := s.probe
	o := metrics.Observation{
		Probe:  metrics.NewIdentity(metrics.Target{Name: p.Name, URL: p.ShownURL(), Interpretation: p.Spec.Interpretation}),
		Result: s.result,
		Words:  words,
	}
	o.Health.Status = p.Health.Thresholds.Judge(p.Spec.Interpretation.Value(s.result))
	return o
}

func (s shot) failed() bool { return s.result.Reason != reasons.OK }

// display is how results are shown.
type display interface {
	// message shows a message that came while a probe listened. It is called while others are, too.
	message(p config.Probe, m probe.Message) error
	// each shows a run, and sum what they come to; interrupted or not.
	each(s shot) error
	sum(probes []config.Probe) error
}

// onceRun is what `once` does.
type onceRun struct {
	probes     []config.Probe
	concurrent int
	count      int
	every      time.Duration
	listen     time.Duration
	verbose    bool
	show       display
}

// errInterrupted ends what a signal ends.
var errInterrupted = errors.New("interrupted")

// run runs the probes as often as it should, and sums up. What was done before a signal counts.
func (o *onceRun) run(ctx context.Context) error {
	failed, err := o.rounds(ctx)
	if err != nil && !(errors.Is(err, errInterrupted) && o.count > 1) {
		return failure{err}
	}
	if sumErr := o.show.sum(o.probes); sumErr != nil {
		return failure{sumErr}
	}
	switch {
	case err != nil:
		return failure{err}
	case failed:
		return errProbeFailed
	default:
		return nil
	}
}

// rounds reports whether a probe failed. A round that lasts too long makes the next one late, and no second one more.
func (o *onceRun) rounds(ctx context.Context) (failed bool, err error) {
	next := time.Now()
	for n := range o.count {
		if n > 0 {
			if next = next.Add(o.every); next.Before(time.Now()) {
				next = time.Now()
			}
			select {
			case <-ctx.Done():
				return failed, errInterrupted
			case <-time.After(time.Until(next)):
			}
		}
		number := 0
		if o.count > 1 {
			number = n + 1
		}
		roundFailed, err := o.round(ctx, number)
		if failed = failed || roundFailed; err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// outcome is what a run came to. An error means that there is no result.
type outcome struct {
	shot shot
	err  error
}

// round runs the probes side by side, and shows them in order as soon as their turn has come.
func (o *onceRun) round(ctx context.Context, number int) (failed bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	outcomes := make([]chan outcome, len(o.probes))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	var runs sync.WaitGroup
	defer runs.Wait()
	defer cancel() // who cannot be shown any more need not be waited for
	runs.Go(func() {
		places := make(chan struct{}, o.concurrent)
		for i, p := range o.probes {
			places <- struct{}{}
			runs.Go(func() {
				defer func() { <-places }()
				outcomes[i] <- o.shoot(ctx, p, number)
			})
		}
	})
	for i := range o.probes {
		got := <-outcomes[i]
		if got.err != nil {
			return failed, got.err
		}
		if err := o.show.each(got.shot); err != nil {
			return failed, err
		}
		failed = failed || got.shot.failed()
	}
	return failed, nil
}

// shoot runs a probe.
func (o *onceRun) shoot(ctx context.Context, p config.Probe, number int) outcome {
	prober, err := probe.New(p.Spec)
	if err != nil {
		return outcome{err: err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var broken error // why nothing can be shown any more
	watch := &probe.Watch{RepliesOnly: !o.verbose}
	if o.listen > 0 {
		watch.Message = func(m probe.Message) {
			if err := o.show.message(p, m); err != nil {
				broken = err
				cancel()
			}
		}
	}
	result, err := prober.RunWith(ctx, probe.RunOptions{Watch: watch, Listen: o.listen})
	if err != nil {
		err = errInterrupted
	}
	if broken != nil {
		err = broken
	}
	return outcome{shot{p, number, result, watch}, err}
}

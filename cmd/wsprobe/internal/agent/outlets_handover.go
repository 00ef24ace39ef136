package agent

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
)

// comeback is what a stream that has ended needs to go on.
type comeback struct {
	options   stream.Options // of its configuration, with the content that its secrets have
	holding   *stream.Holding
	recounted bool
}

// handOver gives the directories of streams that are gone to those that come. It waits for what an end without a drain
// takes, since what waits stays in the directory. Events that come meanwhile are held. After an error the streams of
// before go on, with the events of the moment between.
func (s *outlets) handOver(p *streamPlan) error {
	before := s.current()
	ended := make(map[*line]*comeback)
	var holding []event.Sink
	for _, l := range p.late {
		one := p.next[l.at]
		err := error(nil)
		holding = append(holding, l.holding)
		for _, holder := range s.holders(one.Buffer.Dir) {
			back, wrong := s.comeback(holder)
			if wrong != nil {
				err = wrong
				break
			}
			ended[holder.line] = back
			holding = append(holding, back.holding)
			s.yield(holder, holding)
			p.gone = slices.DeleteFunc(p.gone, func(o outlet) bool { return o.line == holder.line })
			if holder.Name == one.Name {
				s.recount(holder)
				back.recounted = true
			}
		}
		if err == nil {
			one.line.stream, err = stream.New(one.options)
		}
		if err != nil {
			err = errors.Join(fmt.Errorf("stream %q: %w", one.Name, err), p.abandon())
			return errors.Join(err, s.restore(before, ended))
		}
		p.fresh = append(p.fresh, one)
	}
	return nil
}

// comeback prepares for the case that a stream must go on after its end. Then it waits for its directory, which somebody
// else may have by then.
func (s *outlets) comeback(one outlet) (*comeback, error) {
	options, err := streamOptions(&one.Stream, s.log, s.about)
	if err != nil {
		return nil, err
	}
	options.Buffer.Patient = true
	holding, err := stream.Hold(options)
	return &comeback{options: options, holding: holding}, err
}

// yield ends a stream without a drain, and waits until its directory is free. Others take its events.
func (s *outlets) yield(one outlet, others []event.Sink) {
	s.mu.Lock()
	there := len(s.streams)
	s.streams = slices.DeleteFunc(slices.Clone(s.streams), func(o outlet) bool { return o.line == one.line })
	left := s.streams
	s.mu.Unlock()
	s.tell(left, others...)
	one.stream.Hurry()
	if len(left) < there { // else it leaves already
		s.leave(one)
	}
	<-one.ended
}

// recount takes the events that wait on disk out of the sums of a stream that is over, because its heir counts them.
func (s *outlets) recount(one outlet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sums := s.past[one.Name]; sums != nil {
		sums.Events -= int64(one.stream.Counts().Waiting.Events)
	}
}

// restore makes the streams those of before. The ones that have ended begin anew.
func (s *outlets) restore(before []outlet, ended map[*line]*comeback) error {
	again := slices.Clone(before)
	var fresh []outlet
	var errs []error
	for i, one := range again {
		back := ended[one.line]
		if back == nil {
			continue
		}
		heir, err := stream.New(back.options)
		if err != nil {
			errs = append(errs, fmt.Errorf("stream %q cannot go on: %w", one.Name, err))
			continue
		}
		again[i].line = &line{stream: heir, options: back.options, ended: make(chan struct{})}
		if !back.recounted {
			s.recount(one)
		}
		back.holding.Release(heir)
		fresh = append(fresh, again[i])
	}
	s.mu.Lock()
	s.streams = again
	over := s.over
	for _, one := range fresh {
		if s.running != nil && !over {
			s.begin(one)
		}
	}
	s.mu.Unlock()
	s.tell(again)
	for _, one := range fresh {
		if over { // the agent has stopped, and nobody begins them
			errs = append(errs, one.stream.Close())
		}
	}
	return errors.Join(errs...)
}

package metrics

// Reading is one metric of a [Series] at one moment, for readers that go metric by metric through many series. It is
// used again for the next one, so that a page of a hundred thousand probes takes next to no memory.
type Reading struct {
	samples       []Sample
	distributions []*Distribution // of samples, and those that have been
	used          int             // of distributions
}

// Sample is one value of a metric, without the attributes that all values of a probe have.
type Sample struct {
	Metric       ID
	Variant      Variant
	Value        Value         // of a gauge or of a counter
	Distribution *Distribution // of a histogram
	Exemplars    []Exemplar
}

// Samples returns the values. They are good until the next [Series.Read].
func (r *Reading) Samples() []Sample { return r.samples }

// Read makes r the values of one metric as they are now, none if there are none. Gauges are those of the last run, if
// [Keep.Last] is set, and so are exemplars. It takes nothing away from [Series.Collect].
func (s *Series) Read(m ID, r *Reading) {
	r.samples, r.used = r.samples[:0], 0
	if m == MissedIntervals {
		r.gauge(m, Variant{}, float64(s.Missed()))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.total; t != nil {
		switch m {
		case Runs:
			for i := range t.outcomes {
				r.samples = append(r.samples, t.outcomes[i].sample(s.shown.ofOutcome(i)))
			}
		case HandshakeDuration:
			spread(r, m, Variant{}, &t.handshake, latencyBounds, s.shown.ofHandshakes)
		case RoundTripDuration:
			spread(r, m, Variant{}, &t.roundTrip, latencyBounds, s.shown.ofRoundTrips)
		default:
			t.held.read(m, r)
		}
	}
	s.readLast(m, r)
}

// readLast adds a gauge of the last run. The caller holds the lock.
func (s *Series) readLast(wanted ID, r *Reading) {
	if s.last == nil || s.last.has()&measuredBy(wanted) == 0 {
		return
	}
	last := s.last.run()
	if wanted == ConsecutiveFailures {
		r.gauge(wanted, Variant{}, float64(last.Streak))
		return
	}
	last.gauges(func(m ID, v Variant, value float64) {
		if m == wanted {
			r.gauge(m, v, value)
		}
	})
}

// measuredBy returns the values that a gauge may be made of.
func measuredBy(m ID) Measured {
	switch m {
	case ConsecutiveFailures, ConnectionSuccess:
		return hasConnection
	case HandshakeLatency:
		return hasHandshake
	case RoundTripLatency:
		return hasRoundTrip
	case TLSTimeLeft:
		return HasTimeLeft
	case Status:
		return HasStatus
	case Success:
		return hasSuccess
	case InMaintenance:
		return HasMaintenance
	case SessionOpen:
		return hasLive
	case SessionMessageAge:
		return hasMessageAge
	case PhaseDuration:
		return ^Measured(0) &^ (hasPhase - 1)
	default:
		return 0
	}
}

func (r *Reading) gauge(m ID, v Variant, value float64) {
	r.samples = append(r.samples, Sample{Metric: m, Variant: v, Value: Float(value)})
}

func (r *Reading) count(m ID, v Variant, n int64) {
	r.samples = append(r.samples, Sample{Metric: m, Variant: v, Value: Int(n)})
}

// spread adds a histogram, if it has a value: without one it would say that something took place no times.
func spread(r *Reading, m ID, v Variant, values *Values, bounds []float64, exemplars func() []Exemplar) {
	if values.empty() {
		return
	}
	if r.used == len(r.distributions) {
		r.distributions = append(r.distributions, new(Distribution))
	}
	d := r.distributions[r.used]
	r.used++
	values.copyTo(d, bounds)
	one := Sample{Metric: m, Variant: v, Distribution: d}
	if exemplars != nil {
		one.Exemplars = exemplars()
	}
	r.samples = append(r.samples, one)
}

package config

import (
	"fmt"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// healthReader reads the mappings thresholds and dwell of the defaults block and of the probes.
type healthReader struct {
	thresholds nested[health.Thresholds]
	dwell      nested[health.Dwell]
}

func newHealthReader(r *reader) *healthReader {
	return &healthReader{newNested(r, thresholdsSection), newNested(r, dwellSection)}
}

// defaults reads the mappings of the defaults block. Whether thresholds contradict each other depends on the probe.
func (h *healthReader) defaults(inherited *found, where yamltree.Path) {
	h.thresholds.defaults(inherited.pairs[probeSection.index["thresholds"]], where)
	h.dwell.defaults(inherited.pairs[probeSection.index["dwell"]], where)
}

// probe reads the mappings of a probe over those of the defaults block.
func (h *healthReader) probe(r *probeReader, where yamltree.Path, p *Probe) {
	at := probeSection.index["thresholds"]
	p.Health = health.Rules{Thresholds: h.thresholds.base, Dwell: h.dwell.base}
	own := h.thresholds.probe(r.set.pairs[at], where, &p.Health.Thresholds)
	dwells := h.dwell.probe(r.set.pairs[probeSection.index["dwell"]], where, &p.Health.Dwell)
	unclear := h.thresholds.faultyKey("healthy") || h.thresholds.faultyKey("unhealthy") || r.partial || r.set.resembled[at]
	if unclear || r.faulty(probeSection.index["interpretation"]) {
		return
	}
	if !own && !fitting(p.Health.Thresholds, p.Spec.Interpretation) {
		p.Health.Thresholds = health.Thresholds{} // those of defaults are for probes of another kind
	}
	if dwells && !p.Health.Thresholds.Given() {
		pair := r.set.pairs[probeSection.index["dwell"]]
		r.Used(pair.Key, pair.KeyAt, where.Field("dwell"), "needs thresholds: without them there is no status to hold back")
	}
	h.thresholds.reportAll(h.findings(p.Health.Thresholds, p.Spec.Interpretation))
}

// successes are the values that connection_success can have.
var successes = []float64{0, 1}

// fitting reports whether thresholds tell the values of a probe apart. Those for milliseconds do not tell a success
// from a failure.
func fitting(t health.Thresholds, in probe.Interpretation) bool {
	return in != probe.ConnectionSuccess || t.Judge(successes[0], true) != t.Judge(successes[1], true)
}

// findings checks thresholds against each other and against the values that there can be.
func (h *healthReader) findings(t health.Thresholds, in probe.Interpretation) []finding {
	key, other := "unhealthy", "healthy"
	if !h.thresholds.setsKey(key) && h.thresholds.setsKey(other) {
		key, other = other, key
	}
	var values []float64
	if in == probe.ConnectionSuccess {
		values = successes
	}
	if v, both := t.Contradiction(values...); both {
		origin := ""
		if h.thresholds.setsKey(key) && !h.thresholds.setsKey(other) {
			origin = " (which is from defaults)"
		}
		return []finding{{key: key, problem: fmt.Sprintf("contradicts %s%s: a value of %v would be both", other, origin, v)}}
	}
	if t.Given() && !fitting(t, in) {
		return []finding{{key: key, problem: "must tell 0 from 1, which is all that connection_success can be"}}
	}
	return nil
}

package tracing_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// everything are runs that lead to every attribute of every span.
func everything() []probe.Result {
	var all []probe.Result
	for phase := range roundTrip().Phases {
		if probe.Phase(phase) == probe.PhaseClose {
			continue
		}
		r := roundTrip()
		r.Reason, r.ErrorType = reasons.ClosedEarly, reasons.CloseFrame
		r.Phases[phase].State = probe.SpanBroken
		all = append(all, r)
	}
	breach := roundTrip()
	breach.CloseCode, breach.CloseByProbe, breach.Unmatched = 1002, true, 1
	breach.Reason, breach.ErrorType = reasons.ClosedEarly, reasons.ProtocolError
	breach.Steps = []probe.Span{breach.Phases[probe.PhaseRoundTrip], broken(80*ms, 100*ms)}
	return append(all, breach)
}

// TestTable: the table has every span and every attribute, their kinds, and nothing that never comes.
func TestTable(t *testing.T) {
	kinds := make(map[string]string)
	found := make(map[string]map[string]bool)
	for _, r := range everything() {
		for _, s := range slices.Concat(builder().Spans(chat[2:], r), builder().SessionSpans(chat[2:], r, longSession())) {
			name := strings.NewReplacer("probe chat", "probe NAME", "session chat", "session NAME", "step 1", "step N", "step 2", "step N").Replace(s.Name())
			kinds[name] = s.SpanKind().String()
			if found[name] == nil {
				found[name] = make(map[string]bool)
			}
			for key := range attributes(s) {
				found[name][key] = true
			}
		}
	}
	for _, kv := range chat[2:] { // what the run has from its probe
		delete(found["probe NAME"], string(kv.Key))
		delete(found["session NAME"], string(kv.Key))
	}
	for _, row := range tracing.Table() {
		if row.Kind != kinds[row.Name] {
			t.Errorf("%s is %q, the table says %s", row.Name, kinds[row.Name], row.Kind)
		}
		got, want := slices.Sorted(maps.Keys(found[row.Name])), slices.Sorted(slices.Values(row.Attributes))
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v\nthe table says %v", row.Name, got, want)
		}
		delete(found, row.Name)
	}
	if len(found) > 0 {
		t.Errorf("the table lacks %v", found)
	}
}

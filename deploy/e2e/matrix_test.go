package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write generated files")

// outage is a cell of the matrix: what an outage is to a probe, and what WsprobeDown makes of it.
type outage struct {
	interval time.Duration // of the probe
	length   time.Duration
	fires    time.Duration // after its beginning; 0 is never
	ends     time.Duration // at which evaluation after its beginning the alert is gone
}

// outages says when WsprobeDown fires: at the first evaluation after the third failed run. The last run before an outage
// is always ok, a second before it begins, so that this is as late as it can be but for the phase of exports and evaluations.
var outages = []outage{
	{1 * time.Second, 1 * time.Minute, 30 * time.Second, 1 * time.Minute},
	{1 * time.Second, 2 * time.Minute, 30 * time.Second, 2 * time.Minute},
	{1 * time.Second, 5 * time.Minute, 30 * time.Second, 5 * time.Minute},
	{1 * time.Second, 30 * time.Minute, 30 * time.Second, 30 * time.Minute},

	{5 * time.Second, 1 * time.Minute, 30 * time.Second, 90 * time.Second},
	{5 * time.Second, 2 * time.Minute, 30 * time.Second, 150 * time.Second},
	{5 * time.Second, 5 * time.Minute, 30 * time.Second, 330 * time.Second},
	{5 * time.Second, 30 * time.Minute, 30 * time.Second, 1830 * time.Second},

	{30 * time.Second, 1 * time.Minute, 0, 0}, // two runs meet it
	{30 * time.Second, 2 * time.Minute, 90 * time.Second, 150 * time.Second},
	{30 * time.Second, 5 * time.Minute, 90 * time.Second, 330 * time.Second},
	{30 * time.Second, 30 * time.Minute, 90 * time.Second, 1830 * time.Second},

	{5 * time.Minute, 1 * time.Minute, 0, 0}, // no run meets it
	{5 * time.Minute, 2 * time.Minute, 0, 0},
	{5 * time.Minute, 5 * time.Minute, 0, 0}, // one run does
	{5 * time.Minute, 30 * time.Minute, 15 * time.Minute, 35 * time.Minute},

	{time.Hour, 30 * time.Minute, 0, 0},
	{time.Hour, 2 * time.Hour, 0, 0},
	{time.Hour, 6 * time.Hour, 3 * time.Hour, 7 * time.Hour},
}

const (
	exported  = 10 * time.Second // otlp.interval, or the interval of scrapes
	evaluated = 30 * time.Second // the evaluation interval of ../prometheus.yaml
	healthy   = 10 * time.Minute // before each outage
)

// TestOutageMatrix holds ../alerts/matrix.tests.yaml, which promtool runs, to the table above. After a change of the
// table: go test -run TestOutageMatrix -update .
func TestOutageMatrix(t *testing.T) {
	const path = "../alerts/matrix.tests.yaml"
	var want bytes.Buffer
	fmt.Fprintf(&want, `# Written by deploy/e2e/matrix_test.go from its table: how soon WsprobeDown fires, for outages and intervals of many lengths.
rule_files: [wsprobe.rules.yaml]
evaluation_interval: %v

tests:
`, evaluated)
	for _, o := range outages {
		o.write(&want)
	}
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the table says: go test -run TestOutageMatrix -update .", path)
	}
}

// write adds the cell as a test for promtool. It wants no other alert to fire in the meantime.
func (o outage) write(b *bytes.Buffer) {
	end := o.length + 2*o.interval + 10*time.Minute
	streaks, successes := o.series(healthy + end)
	verdict := "never fires"
	if o.fires > 0 {
		verdict = "fires after " + short(o.fires)
	}
	fmt.Fprintf(b, `  - name: probe every %s, outage of %s, %s
    interval: %v
    input_series:
      - {series: 'wsprobe_consecutive_failures{wsprobe_name="chat"}', values: '%s'}
      - {series: 'wsprobe_success{wsprobe_name="chat"}', values: '%s'}
    promql_expr_test:
`, short(o.interval), short(o.length), verdict, exported, streaks, successes)
	fmt.Fprintf(b, "      - {expr: 'count_over_time(ALERTS{alertstate=\"firing\", alertname!=\"WsprobeDown\"}[%s])', eval_time: %s}\n",
		short(healthy+end), short(healthy+end))
	const down = `ALERTS{alertname="WsprobeDown", alertstate="firing", severity="critical", wsprobe_name="chat"}`
	if o.fires == 0 {
		fmt.Fprintf(b, "      - {expr: 'count_over_time(ALERTS[%s])', eval_time: %s}\n", short(healthy+end), short(healthy+end))
		return
	}
	for _, at := range []struct {
		after time.Duration
		fires bool
	}{{o.fires - evaluated, false}, {o.fires, true}, {o.ends - evaluated, true}, {o.ends, false}} {
		samples := ""
		if at.fires {
			samples = fmt.Sprintf(", exp_samples: [{labels: '%s', value: 1}]", down)
		}
		fmt.Fprintf(b, "      - {expr: 'ALERTS{alertname=\"WsprobeDown\"}', eval_time: %s%s}\n", short(healthy+at.after), samples)
	}
}

// series returns what exports say of the probe until an instant: how many runs in a row failed, and whether the last was ok.
func (o outage) series(until time.Duration) (streaks, successes string) {
	var streak, success []int
	next := healthy - time.Second // a run, and back from it to the first one
	for next >= o.interval {
		next -= o.interval
	}
	failed, ok := 0, 1
	for at := time.Duration(0); at <= until; at += exported {
		for ; next <= at; next += o.interval {
			if next >= healthy && next < healthy+o.length {
				failed, ok = failed+1, 0
			} else {
				failed, ok = 0, 1
			}
		}
		streak, success = append(streak, failed), append(success, ok)
	}
	return notation(streak), notation(success)
}

// notation writes numbers as promtool reads them: a+bxn is a and n steps of b.
func notation(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		step, n := 0, 0
		if i+1 < len(numbers) {
			step = numbers[i+1] - numbers[i]
		}
		for i+n+1 < len(numbers) && numbers[i+n+1]-numbers[i+n] == step {
			n++
		}
		parts = append(parts, fmt.Sprintf("%d%+dx%d", numbers[i], step, n))
		i += n + 1
	}
	return strings.Join(parts, " ")
}

// short is a duration in Prometheus' notation.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

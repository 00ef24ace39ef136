package prometheus_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// oddNumbers are those that have a form of their own.
var oddNumbers = []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e5, 999_999, 1e6, -1e6, 1_000_001, 1e20, 1e21, 1e22, 1.5, 1e-4, 1e-5,
	math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxInt64, math.MinInt64, 1 << 53}

func number(r *rand.Rand) float64 {
	switch r.IntN(3) {
	case 0:
		return oddNumbers[r.IntN(len(oddNumbers))]
	case 1:
		return float64(r.Int64N(10_000_000) - 5_000_000)
	default:
		return math.Float64frombits(r.Uint64())
	}
}

// TestEncoderIsAsExpfmt compares random families with expfmt, in each format.
func TestEncoderIsAsExpfmt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		all := []rune("ab\\\"\n{}=,é世 ")
		made := make([]rune, r.IntN(8))
		for i := range made {
			made[i] = all[r.IntN(len(all))]
		}
		return string(made)
	}
	for range 2000 {
		for _, format := range []expfmt.Format{expfmt.FmtText, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim} {
			var got, want bytes.Buffer
			encoder := prometheus.NewEncoder(&got, format)
			oracle := expfmt.NewEncoder(&want, format)
			for _, kind := range []prometheus.Type{prometheus.Counter, prometheus.Gauge, prometheus.Histogram} {
				f := prometheus.Family{Name: "x_" + string(kind) + "_total", Help: text(), Type: kind}
				encoder.Begin(f)
				family := dto.MetricFamily{Name: proto.String(f.Name), Help: proto.String(f.Help), Type: typeOf(kind)}
				for range r.IntN(3) {
					family.Metric = append(family.Metric, point(r, encoder, kind, text))
				}
				if len(family.Metric) == 0 {
					continue
				}
				if format.FormatType() == expfmt.TypeProtoDelim {
					dropEmptyBuckets(&family)
				}
				if err := oracle.Encode(&family); err != nil {
					t.Fatal(err)
				}
			}
			if err := encoder.Close(); err != nil {
				t.Fatal(err)
			}
			if err := oracle.(expfmt.Closer).Close(); err != nil {
				t.Fatal(err)
			}
			if format.FormatType() == expfmt.TypeProtoDelim {
				equalMessages(t, &got, &want)
			} else if got.String() != want.String() {
				t.Fatalf("%s: got\n%s\nwant\n%s", format, &got, &want)
			}
		}
	}
}

// dropEmptyBuckets drops buckets without a bound that have no exemplar, as protobuf does.
func dropEmptyBuckets(f *dto.MetricFamily) {
	for _, m := range f.Metric {
		if h := m.GetHistogram(); h != nil && h.Bucket[len(h.Bucket)-1].Exemplar == nil {
			h.Bucket = h.Bucket[:len(h.Bucket)-1]
		}
	}
}

func equalMessages(t *testing.T, got, want *bytes.Buffer) {
	t.Helper()
	left, right := expfmt.NewDecoder(got, expfmt.FmtProtoDelim), expfmt.NewDecoder(want, expfmt.FmtProtoDelim) // they read ahead
	for {
		var ours, theirs dto.MetricFamily
		err := left.Decode(&ours)
		if other := right.Decode(&theirs); (err == nil) != (other == nil) {
			t.Fatalf("got %v, want %v", err, other)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || !proto.Equal(&ours, &theirs) {
			t.Fatalf("%v: got\n%v\nwant\n%v", err, &ours, &theirs)
		}
	}
}

// TestLargeFamily: a family that is too large for a message is several.
func TestLargeFamily(t *testing.T) {
	var page bytes.Buffer
	encoder := prometheus.NewEncoder(&page, expfmt.FmtProtoDelim)
	encoder.Begin(prometheus.Family{Name: "x", Help: "h", Type: prometheus.Gauge})
	const points = 100_000
	for i := range points {
		encoder.Labels.Set([]metrics.Attribute{metrics.Text("name", fmt.Sprintf("%0100d", i))})
		encoder.Number(float64(i), nil)
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	decoder, next, messages := expfmt.NewDecoder(&page, expfmt.FmtProtoDelim), 0, 0
	for ; ; messages++ {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if size := proto.Size(&f); size > 300<<10 || f.GetName() != "x" || f.GetHelp() != "h" || f.GetType() != dto.MetricType_GAUGE {
			t.Errorf("a message of %d bytes of %s", size, f.GetName())
		}
		for _, m := range f.Metric {
			if m.GetGauge().GetValue() != float64(next) {
				t.Fatalf("%v in place %d", m, next)
			}
			next++
		}
	}
	if next != points || messages < 2 {
		t.Errorf("%d points in %d messages", next, messages)
	}
}

func typeOf(kind prometheus.Type) *dto.MetricType {
	return map[prometheus.Type]*dto.MetricType{
		prometheus.Counter: dto.MetricType_COUNTER.Enum(), prometheus.Gauge: dto.MetricType_GAUGE.Enum(), prometheus.Histogram: dto.MetricType_HISTOGRAM.Enum(),
	}[kind]
}

// point has the encoder write a random point, and returns it.
func point(r *rand.Rand, encoder *prometheus.Encoder, kind prometheus.Type, text func() string) *dto.Metric {
	var m dto.Metric
	var attributes []metrics.Attribute
	for _, name := range []string{"a", "b"}[:r.IntN(3)] {
		value := text()
		attributes = append(attributes, metrics.Text(name, value))
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)})
	}
	encoder.Labels.Set(attributes)
	var exemplars []metrics.Exemplar
	var exemplar *dto.Exemplar
	if r.IntN(2) == 0 {
		at := time.Unix(r.Int64N(1e10), r.Int64N(1e9))
		value := float64(r.IntN(10))
		exemplars = []metrics.Exemplar{{Time: at, Value: metrics.Float(value), Trace: probe.Trace{ID: [16]byte{15: 255}, Run: [8]byte{1}}}}
		exemplar = &dto.Exemplar{Value: &value, Timestamp: timestamppb.New(at), Label: []*dto.LabelPair{
			{Name: proto.String("span_id"), Value: proto.String("0100000000000000")},
			{Name: proto.String("trace_id"), Value: proto.String("000000000000000000000000000000ff")},
		}}
	}
	encoder.Created = time.Unix(r.Int64N(1e10), r.Int64N(2))
	created := timestamppb.New(encoder.Created)
	switch kind {
	case prometheus.Counter:
		value := number(r)
		m.Counter = &dto.Counter{Value: &value, Exemplar: exemplar, CreatedTimestamp: created}
		encoder.Number(value, exemplars)
	case prometheus.Gauge:
		value := number(r)
		m.Gauge = &dto.Gauge{Value: &value}
		encoder.Number(value, exemplars)
	default:
		d := metrics.Distribution{Bounds: []float64{0.5, 5, 1e6}, Counts: make([]uint64, 4), Sum: number(r)}
		m.Histogram = &dto.Histogram{SampleSum: &d.Sum, CreatedTimestamp: created}
		for i := range d.Counts {
			d.Counts[i] = r.Uint64N(1 << r.IntN(50))
			d.Count += d.Counts[i]
			upper := math.Inf(1)
			if i < len(d.Bounds) {
				upper = d.Bounds[i]
			}
			b := &dto.Bucket{UpperBound: &upper, CumulativeCount: proto.Uint64(d.Count)}
			if exemplar != nil && exemplar.GetValue() <= upper {
				b.Exemplar, exemplar = exemplar, nil
			}
			m.Histogram.Bucket = append(m.Histogram.Bucket, b)
		}
		m.Histogram.SampleCount = &d.Count
		encoder.Histogram(&d, exemplars)
	}
	return &m
}

// TestLabels: names that become one have their values joined, and what every point has replaces others.
func TestLabels(t *testing.T) {
	var text bytes.Buffer
	encoder := prometheus.NewEncoder(&text, expfmt.FmtText)
	encoder.Labels.Common = []metrics.Attribute{metrics.Text("wsprobe.location", "lab")}
	encoder.Begin(prometheus.Family{Name: "x", Help: "h", Type: prometheus.Gauge})
	for range 2 {
		encoder.Labels.Set([]metrics.Attribute{metrics.Text("k.a", "z"), metrics.Text("k_a", "y"), metrics.Text("k-a", "x"), metrics.Text("wsprobe_location", "here"), metrics.Text("ÿ", "none")})
		encoder.Number(1, nil)
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	line := `x{k_a="x;y;z",wsprobe_location="lab"} 1` + "\n"
	if want := "# HELP x h\n# TYPE x gauge\n" + line + line; text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
}

// TestGzip: an answer is compressed for who takes that.
func TestGzip(t *testing.T) {
	var answers prometheus.Answers
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP;q=0.5": true, "gzip;q=0": false, "*": true, "*, gzip;q=0": false, "*;q=0": false, "br": false, "gzip; q=x": false,
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept-Encoding", accept)
		answer := answers.Open(w, r)
		answer.Begin(prometheus.Family{Name: "x", Help: "h", Type: prometheus.Gauge})
		answer.Number(1, nil)
		if err := answer.Close(); err != nil {
			t.Fatal(err)
		}
		body := io.Reader(w.Body)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed %v", accept, got)
		} else if want {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != "# HELP x h\n# TYPE x gauge\nx 1\n" {
			t.Errorf("%q: %q, %v", accept, text, err)
		}
	}
}

// broken takes a number of bytes.
type broken struct {
	http.ResponseWriter
	room, writes int
}

func (b *broken) Write(p []byte) (int, error) {
	if b.writes++; b.room < len(p) {
		return 0, errors.New("the client has gone")
	}
	b.room -= len(p)
	return len(p), nil
}

// TestClientGoes: nothing is written after a write that failed, and who makes points can see it.
func TestClientGoes(t *testing.T) {
	var answers prometheus.Answers
	for _, encoding := range []string{"", "gzip"} {
		w, r := &broken{ResponseWriter: httptest.NewRecorder(), room: 100_000}, httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		answer := answers.Open(w, r)
		answer.Begin(prometheus.Family{Name: "x", Help: "h", Type: prometheus.Gauge})
		source, points := rand.New(rand.NewPCG(1, 2)), 0
		for ; answer.Err() == nil && points < 1_000_000; points++ {
			answer.Number(source.Float64(), nil)
		}
		writes := w.writes
		for range 10_000 {
			answer.Number(1, nil)
		}
		if err := answer.Close(); err == nil || points == 1_000_000 || w.writes != writes {
			t.Errorf("%q: %v after %d points, %d writes and %d more", encoding, err, points, writes, w.writes-writes)
		}
	}
}

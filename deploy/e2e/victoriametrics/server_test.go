package victoriametrics

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// The programs, built from the modules in go.mod by the first test that needs them.
var (
	serverProgram = sync.OnceValues(func() (string, error) {
		return lab.Build(".", "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics")
	})
	alertProgram = sync.OnceValues(func() (string, error) {
		return lab.Build(".", "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert")
	})
)

func built(t *testing.T, program func() (string, error)) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// database is a VictoriaMetrics behind a receiver that can be away.
type database struct {
	*lab.Receiver
	url string // of VictoriaMetrics itself, for queries
}

// startDatabase runs the server with the one flag that deploy/README asks for. Queries see the newest samples at once,
// where the default holds those of the last 30 s back.
func startDatabase(t *testing.T) database {
	t.Helper()
	addr := lab.FreeAddr(t)
	process := lab.Start(t, built(t, serverProgram), "-httpListenAddr="+addr, "-storageDataPath="+t.TempDir(),
		"-opentelemetry.usePrometheusNaming", "-search.latencyOffset=0s", "-memory.allowedBytes=256MiB", "-loggerLevel=WARN")
	target, err := url.Parse("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, time.Minute, "VictoriaMetrics to answer", func() (bool, string) {
		process.Running(t)
		resp, err := http.Get(target.String() + "/health")
		if err != nil {
			return false, err.Error()
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK, resp.Status
	})
	return database{lab.NewReceiver(t, httputil.NewSingleHostReverseProxy(target)), target.String()}
}

// otlp returns the section of the agent's settings that exports to this VictoriaMetrics.
func (d database) otlp(interval string) map[string]any {
	return map[string]any{"endpoint": "http://" + d.Addr + "/opentelemetry", "protocol": "http/protobuf", "interval": interval}
}

// get returns the answer of an API, which ends with the test at the latest.
func get(t *testing.T, address string, query url.Values) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s: %s", req.URL, resp.Status, text)
	}
	return resp.Body
}

// series is a series with its samples as they are stored; a staleness marker has no value.
type series struct {
	Metric     json.RawMessage
	Values     []*float64
	Timestamps []int64
}

// export returns all that is stored of the series that match.
func (d database) export(t *testing.T, match string) []series {
	t.Helper()
	get(t, d.url+"/internal/force_flush", nil).Close() // what was just accepted becomes visible
	body := get(t, d.url+"/api/v1/export", url.Values{"match[]": {match}})
	defer body.Close()
	var all []series
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var s series
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// label is a name with its value; a series may have a name twice.
type label struct{ name, value string }

// labels returns those of a series as they are stored, repetitions included.
func (s series) labels(t *testing.T) []label {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(s.Metric)))
	var words []string
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if word, ok := token.(string); ok {
			words = append(words, word)
		}
	}
	var all []label
	for i := 0; i+1 < len(words); i += 2 {
		all = append(all, label{words[i], words[i+1]})
	}
	return all
}

// stored counts the samples of a metric by the name of the probe; staleness markers are none.
func (d database) stored(t *testing.T, metric string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, s := range d.export(t, metric) {
		var labels map[string]string
		if err := json.Unmarshal(s.Metric, &labels); err != nil {
			t.Fatal(err)
		}
		for _, v := range s.Values {
			if v != nil {
				counts[labels["wsprobe_name"]]++
			}
		}
	}
	return counts
}

// sample is one element of the answer to an instant query.
type sample struct {
	labels map[string]string
	value  float64
}

func (s sample) String() string { return fmt.Sprint(s.labels, " ", s.value) }

// query evaluates an expression now.
func (d database) query(t *testing.T, expr string) []sample {
	t.Helper()
	body := get(t, d.url+"/api/v1/query", url.Values{"query": {expr}})
	defer body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var samples []sample
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		samples = append(samples, sample{r.Metric, value})
	}
	return samples
}

// await waits until the answer to a query is right.
func (d database) await(t *testing.T, expr string, right func([]sample) bool) {
	t.Helper()
	lab.Eventually(t, time.Minute, expr, func() (bool, string) {
		got := d.query(t, expr)
		return right(got), fmt.Sprint(got)
	})
}

// found is right for any answer.
func found(s []sample) bool { return len(s) > 0 }

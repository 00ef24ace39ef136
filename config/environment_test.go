package config

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// probesOnly is a file that leaves everything but the probes to the environment.
const probesOnly = "probes:\n  - {name: a, url: 'wss://example.com/'}\n"

// loadWith reads a file with nothing but the given variables in the environment.
func loadWith(t *testing.T, file string, variables map[string]string) (Config, error) {
	t.Helper()
	clearEnvironment(t)
	for name, value := range variables {
		t.Setenv(name, value)
	}
	return loadText([]byte(file))
}

// variableMark begins a line of a file in testdata/environment that sets a variable: NAME="value", quoted as in Go.
const variableMark = "# variable: "

// TestEnvironmentFaults: each variable that is wrong is named, once, and no secret is repeated. A file of the corpus
// begins with the variables, and the faults that they make.
func TestEnvironmentFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/environment/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("the corpus has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			variables := make(map[string]string)
			var head, body strings.Builder
			for line := range strings.Lines(string(data)) {
				if setting, ok := strings.CutPrefix(line, variableMark); ok {
					name, quoted, _ := strings.Cut(strings.TrimSpace(setting), "=")
					if variables[name], err = strconv.Unquote(quoted); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					head.WriteString(line)
				} else if !strings.HasPrefix(line, wantMark) {
					body.WriteString(line)
				}
			}
			_, err = loadWith(t, body.String(), variables)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("a secret is repeated")
			}
			got := head.String()
			for line := range strings.SplitSeq(err.Error(), "\n") {
				got += wantMark + line + "\n"
			}
			got += body.String()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(data) {
				t.Errorf("got\n%s\nwant\n%s", got, data)
			}
		})
	}
}

// TestEnvironmentIgnored: what is nobody's configuration, or overruled, is no fault.
func TestEnvironmentIgnored(t *testing.T) {
	file := "agent: {listen: ''}\notlp: {endpoint: 'http://collector', protocol: grpc, interval: 5s, timeout: 5s, compression: none, headers: {a: b}}\n" + probesOnly
	want, err := loadWith(t, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := loadWith(t, file, map[string]string{
		// Service links of Kubernetes and Docker.
		"WSPROBE_AGENT_SERVICE_HOST": "10.0.0.1", "WSPROBE_AGENT_SERVICE_PORT": "80", "WSPROBE_AGENT_SERVICE_PORT_HTTP": "80",
		"WSPROBE_AGENT_PORT": "tcp://10.0.0.1:80", "WSPROBE_AGENT_PORT_80_TCP": "tcp://10.0.0.1:80", "WSPROBE_AGENT_PORT_80_TCP_PROTO": "tcp",
		"WSPROBE_AGENT_PORT_80_TCP_PORT": "80", "WSPROBE_AGENT_PORT_80_TCP_ADDR": "10.0.0.1", "WSPROBE_AGENT_STATUS_SERVICE_HOST": "10.0.0.1",
		"WSPROBE_OTLP_RECEIVER_PORT": "udp://10.0.0.1:80", "WSPROBE_OTLP_PORT_4317_UDP_ADDR": "10.0.0.1",
		"WSPROBE_SERVICE_HOST": "10.0.0.1", "WSPROBE_CONFIG": "x", "WSPROBE_AGENTS": "x",
		// The file has spoken.
		"OTEL_EXPORTER_OTLP_ENDPOINT": "secret://", "OTEL_METRIC_EXPORT_INTERVAL": "x", "OTEL_EXPORTER_OTLP_TIMEOUT": "x",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "x", "OTEL_EXPORTER_OTLP_HEADERS": "x", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere", "OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_INSECURE": "x",
		// Empty is not set, says OpenTelemetry.
		"OTEL_SERVICE_NAME": "", "OTEL_RESOURCE_ATTRIBUTES": "",
		// No probe would use it.
		"HTTP_PROXY": "socks5://proxy", "HTTPS_PROXY": "::", "NO_PROXY": "example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	got.Files = nil // a variable names one, of which no use is made
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestPrecedence: WSPROBE_ wins over the file, the file over OTEL_, OTEL_ over the default.
func TestPrecedence(t *testing.T) {
	file := "otlp: {interval: 20s}\n" + probesOnly
	ours := map[string]string{"WSPROBE_OTLP_INTERVAL": "30s"}
	theirs := map[string]string{"OTEL_METRIC_EXPORT_INTERVAL": "40000"}
	both := map[string]string{"WSPROBE_OTLP_INTERVAL": "30s", "OTEL_METRIC_EXPORT_INTERVAL": "x"}
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       time.Duration
	}{
		{"default", probesOnly, nil, 10 * time.Second},
		{"otel", probesOnly, theirs, 40 * time.Second},
		{"file", file, nil, 20 * time.Second},
		{"file over otel", file, theirs, 20 * time.Second},
		{"wsprobe", probesOnly, ours, 30 * time.Second},
		{"wsprobe over file", file, ours, 30 * time.Second},
		{"wsprobe over otel", probesOnly, both, 30 * time.Second},
		{"wsprobe over both", file, both, 30 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, err := loadWith(t, test.file, test.variables)
			if err != nil || config.OTLP.Interval != test.want {
				t.Errorf("interval %v, %v, want %v", config.OTLP.Interval, err, test.want)
			}
		})
	}
}

// TestOverriddenFaultIsStillOne: a wrong value in the file is a fault even where a variable wins over it.
func TestOverriddenFaultIsStillOne(t *testing.T) {
	_, err := loadWith(t, "otlp: {interval: 5}\n"+probesOnly, map[string]string{"WSPROBE_OTLP_INTERVAL": "x"})
	want := `wsprobe.yaml:1:18: otlp.interval: must be a duration with a unit, such as 30s or 1m30s, got 5
environment: WSPROBE_OTLP_INTERVAL: must be a duration with a unit, such as 30s or 1m30s, got "x"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestOverrides sets every variable at once.
func TestOverrides(t *testing.T) {
	got, err := loadWith(t, probesOnly, map[string]string{
		"WSPROBE_AGENT_LISTEN": "", "WSPROBE_AGENT_MAX_CONCURRENT": "7", "WSPROBE_AGENT_LOCATION": "Zürich", "WSPROBE_AGENT_LOG_LEVEL": "debug",
		"WSPROBE_AGENT_LOG_FORMAT": "json", "WSPROBE_OTLP_ENDPOINT": "HTTPS://[::1]", "WSPROBE_OTLP_INTERVAL": "1m", "WSPROBE_OTLP_TIMEOUT": "2s",
		"WSPROBE_OTLP_COMPRESSION": "none", "WSPROBE_OTLP_TLS_CA_FILE": "testdata/tls/cert.pem", "WSPROBE_OTLP_TLS_CERT_FILE": "testdata/tls/cert.pem",
		"WSPROBE_OTLP_TLS_KEY_FILE": "testdata/tls/key.pem", "WSPROBE_OTLP_TLS_INSECURE_SKIP_VERIFY": "true",
		"WSPROBE_AGENT_SHARD_INDEX": "2", "WSPROBE_AGENT_SHARD_COUNT": "3", "WSPROBE_AGENT_ID": "probes-1",
		"WSPROBE_AGENT_URL": "https://wsprobe.example.com/", "WSPROBE_OTLP_END_MARKERS": "false",
		"WSPROBE_AGENT_MAX_SESSIONS": "9", "WSPROBE_AGENT_PROBE_ENDPOINT_MAX_CONCURRENT": "11", "WSPROBE_AGENT_WATCH": "5s",
		"WSPROBE_AGENT_METRICS_HISTOGRAMS": "native",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Agent{MaxConcurrent: 7, MaxSessions: 9, Location: "Zürich", ID: "probes-1", URL: "https://wsprobe.example.com/",
		LogLevel: slog.LevelDebug, LogFormat: "json", Shard: Shard{2, 3}, Metrics: Metrics{"native"}, ProbeEndpoint: ProbeEndpoint{MaxConcurrent: 11},
		Watch: 5 * time.Second}); !reflect.DeepEqual(got.Agent, want) {
		t.Errorf("agent %+v, want %+v", got.Agent, want)
	}
	o := got.OTLP
	if o.Endpoint != (Endpoint{Address: "[::1]:4317", Secure: true}) || o.Interval != time.Minute || o.Timeout != 2*time.Second || o.Compression != "none" || o.EndMarkers {
		t.Errorf("otlp %+v", o)
	}
	if o.TLS == nil || !o.TLS.InsecureSkipVerify || o.TLS.RootCAs == nil || len(o.TLS.Certificates) != 1 {
		t.Errorf("TLS %+v", o.TLS)
	}
	if got := o.Endpoint.String(); got != "https://[::1]:4317" {
		t.Errorf("endpoint %s", got)
	}
}

// TestStandardVariables reads what OpenTelemetry's own exporters would.
func TestStandardVariables(t *testing.T) {
	got, err := loadWith(t, probesOnly, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://general", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "collector:4317",
		"OTEL_EXPORTER_OTLP_INSECURE": "false", "OTEL_EXPORTER_OTLP_TIMEOUT": "1500", "OTEL_METRIC_EXPORT_INTERVAL": "60000",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_HEADERS": " Authorization = Basic%20YTpi , x=1=2,",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "testdata/tls/cert.pem", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "testdata/tls/cert.pem",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY": "testdata/tls/key.pem", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_METRICS_EXPORTER": "otlp",
		"OTEL_SDK_DISABLED": "false", "OTEL_RESOURCE_ATTRIBUTES": "service.name=a,deployment.environment.name=prod%2C1,empty=,wsprobe.location=fra",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := got.OTLP
	if o.Endpoint != (Endpoint{Address: "collector:4317", Secure: true}) || o.Interval != time.Minute || o.Timeout != 1500*time.Millisecond || o.Compression != "none" {
		t.Errorf("otlp %+v", o)
	}
	if want := map[string]string{"Authorization": "Basic YTpi", "x": "1=2"}; !maps.Equal(o.Headers, want) {
		t.Errorf("headers %v, want %v", o.Headers, want)
	}
	if o.TLS == nil || o.TLS.RootCAs == nil || len(o.TLS.Certificates) != 1 {
		t.Errorf("TLS %+v", o.TLS)
	}
	want := Resource{"a", "fra", map[string]string{"deployment.environment.name": "prod,1", "empty": ""}}
	if !reflect.DeepEqual(o.Resource, want) {
		t.Errorf("resource %+v, want %+v", o.Resource, want)
	}
	if got.Agent.Location != "fra" {
		t.Errorf("location %q, want that of the resource", got.Agent.Location)
	}
}

// TestNoNameIsThereTwice: an attribute of the resource becomes a label in some back ends, beside those of the points.
func TestNoNameIsThereTwice(t *testing.T) {
	file := "probes: [{name: a, url: \"ws://a/\", labels: {team_name: web}}]\n"
	for attributes, want := range map[string]string{
		"team=web":         "",
		"team.name=web":    `team.name is a label of probe "a", too: some back ends would have it twice`,
		"wsprobe.name=b":   "item 1 is not allowed: it is an attribute of the metrics of probes",
		"server_address=b": "item 1 is not allowed: it is an attribute of the metrics of probes",
	} {
		_, err := loadWith(t, file, map[string]string{"OTEL_RESOURCE_ATTRIBUTES": attributes})
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != "environment: OTEL_RESOURCE_ATTRIBUTES: "+want {
			t.Errorf("%s: got %v, want %q", attributes, err, want)
		}
	}
}

func TestStandardVariablesInsecure(t *testing.T) {
	got, err := loadWith(t, probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector", "OTEL_EXPORTER_OTLP_INSECURE": "TRUE",
		"OTEL_SERVICE_NAME": "b", "OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	if got.OTLP.Endpoint != (Endpoint{Address: "collector:4317"}) || got.OTLP.TLS != nil || got.OTLP.Resource.ServiceName != "b" {
		t.Errorf("otlp %+v", got.OTLP)
	}
}

// TestFiles: what cannot be read at all is one line, with the name that the user gave.
func TestFiles(t *testing.T) {
	clearEnvironment(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for file, want := range map[string]string{
		filepath.Join(dir, "nothing.yaml"):                   ": no such file or directory",
		t.TempDir():                                          ": is a directory without a file *.yaml or *.yml",
		write("file", "") + "/wsprobe.yaml":                  ": not a directory",
		write("empty.yaml", ""):                              ":1:1: is empty",
		write("blank.yaml", "\n \n\t\n"):                     "",
		write("utf16.yaml", "\xff\xfep\x00r\x00"):            ":1:1: must be UTF-8",
		write("large.yaml", strings.Repeat("# x\n", 17<<20)): ": is larger than 64 MiB",
	} {
		_, err := Load(file)
		if err == nil || want != "" && err.Error() != file+want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", file, err, want)
		}
	}
}

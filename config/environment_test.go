package config

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
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

// TestEnvironmentFaults: each variable that is wrong is named, once, and no secret is repeated.
func TestEnvironmentFaults(t *testing.T) {
	const https = "otlp: {endpoint: 'https://collector:4317'}\n" + probesOnly
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       string // without "environment: ", one a line
	}{
		{"override/types", probesOnly, map[string]string{
			"WSPROBE_AGENT_MAX_CONCURRENT": "many", "WSPROBE_AGENT_LOG_LEVEL": "loud", "WSPROBE_OTLP_INTERVAL": "10",
			"WSPROBE_OTLP_TLS_INSECURE_SKIP_VERIFY": "1", "WSPROBE_OTLP_ENDPOINT": "collector:4317", "WSPROBE_AGENT_LISTEN": "9464",
		}, `WSPROBE_AGENT_LISTEN: must be host:port or :port, got "9464"
WSPROBE_AGENT_LOG_LEVEL: must be one of debug, info, warn, error, got "loud"
WSPROBE_AGENT_MAX_CONCURRENT: must be a whole number in decimal digits, got "many"
WSPROBE_OTLP_ENDPOINT: must begin with http:// (plain) or https:// (TLS), then host:port
WSPROBE_OTLP_INTERVAL: must be a duration with a unit, such as 30s or 1m30s, got "10"
WSPROBE_OTLP_TLS_INSECURE_SKIP_VERIFY: must be true or false, got "1"`},
		{"override/ranges", probesOnly, map[string]string{"WSPROBE_AGENT_MAX_CONCURRENT": "0", "WSPROBE_OTLP_TIMEOUT": "11m"},
			"WSPROBE_AGENT_MAX_CONCURRENT: must be between 1 and 100000, got 0\nWSPROBE_OTLP_TIMEOUT: must be between 1ms and 10m, got 11m"},
		{"override/empty", probesOnly, map[string]string{"WSPROBE_AGENT_MAX_CONCURRENT": "", "WSPROBE_OTLP_COMPRESSION": ""},
			"WSPROBE_AGENT_MAX_CONCURRENT: must be a whole number in decimal digits, got \"\"\nWSPROBE_OTLP_COMPRESSION: must be one of gzip, none, got \"\""},
		{"override/unknown", probesOnly, map[string]string{"WSPROBE_AGENT_LISTEM": "x", "WSPROBE_OTLP_ENDPOINTS": "x", "WSPROBE_OTLP_HEADERS": "secret",
			"WSPROBE_AGENT_PORT": "9464"},
			`WSPROBE_AGENT_LISTEM: is no variable of wsprobe, did you mean WSPROBE_AGENT_LISTEN?
WSPROBE_AGENT_PORT: is no variable of wsprobe
WSPROBE_OTLP_ENDPOINTS: is no variable of wsprobe, did you mean WSPROBE_OTLP_ENDPOINT?
WSPROBE_OTLP_HEADERS: is no variable of wsprobe: set otlp.headers in the file, or OTEL_EXPORTER_OTLP_HEADERS`},
		{"override/tls", https, map[string]string{"WSPROBE_OTLP_TLS_CA_FILE": "testdata/nothing.pem", "WSPROBE_OTLP_TLS_CERT_FILE": "testdata/tls/cert.pem"},
			`WSPROBE_OTLP_TLS_CA_FILE: cannot read "testdata/nothing.pem": no such file or directory
WSPROBE_OTLP_TLS_CERT_FILE: needs key_file, too`},
		{"override/tls without https", probesOnly, map[string]string{"WSPROBE_OTLP_TLS_INSECURE_SKIP_VERIFY": "true"},
			"WSPROBE_OTLP_TLS_INSECURE_SKIP_VERIFY: has no effect: otlp.endpoint is not https://"},
		{"otel/numbers", probesOnly, map[string]string{"OTEL_METRIC_EXPORT_INTERVAL": "10s", "OTEL_EXPORTER_OTLP_TIMEOUT": "-5"},
			`OTEL_EXPORTER_OTLP_TIMEOUT: must be between 1ms and 10m, got -5ms
OTEL_METRIC_EXPORT_INTERVAL: must be a whole number of milliseconds, got "10s"`},
		{"otel/the specific one is named", probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "x", "OTEL_EXPORTER_OTLP_TIMEOUT": "y"},
			`OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: must be a whole number of milliseconds, got "x"`},
		{"otel/endpoint", probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:secret@collector"},
			"OTEL_EXPORTER_OTLP_ENDPOINT: must be https://host:port without user information and query"},
		{"otel/insecure", probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_INSECURE": "1"},
			`OTEL_EXPORTER_OTLP_INSECURE: must be true or false, got "1"`},
		{"otel/compression", probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
			`OTEL_EXPORTER_OTLP_COMPRESSION: must be one of gzip, none, got "zstd"`},
		{"otel/headers", probesOnly, map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=secret,secret,b=%secret,x y=secret,c=sécret,a=secret,grpc-x=secret"},
			`OTEL_EXPORTER_OTLP_HEADERS: item 2 must be name=value
OTEL_EXPORTER_OTLP_HEADERS: item 3 must have two hexadecimal digits after each %
OTEL_EXPORTER_OTLP_HEADERS: item 4 must be named by letters, digits, _ . or -
OTEL_EXPORTER_OTLP_HEADERS: the value of c must consist of visible ASCII characters and blanks
OTEL_EXPORTER_OTLP_HEADERS: a is there twice
OTEL_EXPORTER_OTLP_HEADERS: item 7 is not allowed: gRPC sets it itself`},
		{"otel/certificates", https, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "testdata/tls/empty.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "testdata/tls/key.pem"},
			`OTEL_EXPORTER_OTLP_CERTIFICATE: has no certificate in it that can be used: "testdata/tls/empty.pem"
OTEL_EXPORTER_OTLP_CLIENT_KEY: needs cert_file, too`},
		{"otel/what wsprobe does not do", probesOnly, map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "prometheus",
			"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"},
			`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: must be cumulative, the only temporality of wsprobe, got "delta"
OTEL_EXPORTER_OTLP_PROTOCOL: must be one of grpc, http/protobuf, none, got "http/json"
OTEL_METRICS_EXPORTER: must be otlp, the only exporter of wsprobe (otlp.protocol none is for no export), got "prometheus"
OTEL_SDK_DISABLED: must not be true: wsprobe is of no use without telemetry, got "true"`},
		{"not UTF-8", probesOnly, map[string]string{"WSPROBE_AGENT_LOCATION": "Z\xfcrich", "OTEL_SERVICE_NAME": "\xff", "OTEL_RESOURCE_ATTRIBUTES": "a=%ff"},
			`OTEL_RESOURCE_ATTRIBUTES: item 1 must be UTF-8
OTEL_SERVICE_NAME: must be UTF-8
WSPROBE_AGENT_LOCATION: must be UTF-8`},
		{"otel/resource", probesOnly, map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "a=b,c,=d,e=%zz"},
			`OTEL_RESOURCE_ATTRIBUTES: item 2 must be name=value
OTEL_RESOURCE_ATTRIBUTES: item 3 must be name=value
OTEL_RESOURCE_ATTRIBUTES: item 4 must have two hexadecimal digits after each %`},
		{"proxy/unusable", probesOnly, map[string]string{"HTTPS_PROXY": "http://user:secret@:80:80/"},
			"HTTPS_PROXY: must be the URL of a proxy: http://, https:// or socks5://, then host:port"},
		{"proxy/user without password", probesOnly, map[string]string{"https_proxy": "socks5://secret@proxy:1080"},
			"https_proxy: must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"},
		{"proxy/scheme", probesOnly + "  - {name: b, url: 'wss://example.net/'}\n", map[string]string{"HTTPS_PROXY": "socks4://proxy:1080"},
			"HTTPS_PROXY: must begin with http://, https:// or socks5://"},
		{"proxy/port", probesOnly, map[string]string{"HTTPS_PROXY": "proxy:99999"}, "HTTPS_PROXY: must have a port between 1 and 65535"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadWith(t, test.file, test.variables)
			if err == nil {
				t.Fatal("accepted")
			}
			if got := strings.ReplaceAll(err.Error(), "environment: ", ""); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("a secret is repeated")
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
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Agent{"", nil, 7, "Zürich", "probes-1", "https://wsprobe.example.com/", slog.LevelDebug, "json", Shard{2, 3}}); !reflect.DeepEqual(got.Agent, want) {
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
		dir:                                                  ": is a directory",
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

package telemetry

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
)

func TestDefaults(t *testing.T) {
	o := Options{}.filled()
	if err := o.check(); err != nil {
		t.Errorf("the zero value is refused: %v", err)
	}
	if o.Interval != 10*time.Second || o.StopBudget != 2*time.Second || o.QueueBytes != 32<<20 || o.Logger == nil {
		t.Errorf("got %+v", o)
	}
}

func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Endpoint: "127.0.0.1:4317"}, "endpoint must be"},
		{Options{Endpoint: "collector"}, "endpoint must be"},
		{Options{Endpoint: "grpc://collector:4317"}, "endpoint must be"},
		{Options{Endpoint: "http://"}, "endpoint must be"},
		{Options{Endpoint: "http://collector/v1/metrics"}, "endpoint must be"},
		{Options{Endpoint: "http://collector?token=s3cr3t"}, "endpoint must be"},
		{Options{Endpoint: "http://user:s3cr3t@collector"}, "without user information"},
		{Options{Endpoint: "http://user:s3cr3t@coll ector:x"}, "without user information"},
		{Options{Protocol: ProtocolHTTP, Endpoint: "http://collector/v1/metrics?token=s3cr3t"}, "endpoint must be http://host:port/path"},
		{Options{Protocol: ProtocolHTTP, Endpoint: "https://user:s3cr3t@collector/v1/metrics"}, "without user information"},
		{Options{Protocol: "http/json"}, `protocol must be grpc, http/protobuf or none, got "http/json"`},
		{Options{QueueAge: -1}, "queue age must be positive"},
		{Options{Compression: "zstd"}, `compression must be gzip or none, got "zstd"`},
		{Options{Interval: -1}, "interval must be positive"},
		{Options{Timeout: -1}, "timeout must be positive"},
		{Options{StopBudget: -1}, "stop budget must be positive"},
		{Options{QueueBytes: -1}, "bounds must be positive"},
		{Options{PendingRuns: -1}, "bounds must be positive"},
		{Options{Headers: map[string]string{"a b": "s3cr3t"}}, `header "a b" is not valid`},
		{Options{Headers: map[string]string{"": "s3cr3t"}}, `header "" is not valid`},
		{Options{Headers: map[string]string{"grpc-timeout": "s3cr3t"}}, `header "grpc-timeout" is not valid`},
		{Options{Headers: map[string]string{"key": "s3cr3t\n"}}, `header "key" is not valid`},
	} {
		_, err := New(c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.options, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("a secret is in the error: %v", err)
		}
	}
	_, err := New(Options{Endpoint: "x", Compression: "x", Interval: -1})
	if err == nil || strings.Count(err.Error(), "must be") != 3 {
		t.Errorf("not every fault is named: %v", err)
	}
}

func TestOptionsAreCopied(t *testing.T) {
	headers, attributes := map[string]string{"a": "1"}, map[string]string{"b": "2"}
	o := Options{Headers: headers, Attributes: attributes, TLS: new(tls.Config)}.filled()
	headers["a"], attributes["b"] = "changed", "changed"
	if o.Headers["a"] != "1" || o.Attributes["b"] != "2" {
		t.Errorf("got %v and %v", o.Headers, o.Attributes)
	}
}

func TestResource(t *testing.T) {
	value := func(o Options, key attribute.Key) string {
		v, ok := newResource(o).Set().Value(key)
		if !ok {
			return "(absent)"
		}
		return v.String()
	}
	given := map[string]string{
		"service.name": "given", "service.instance.id": "given", "host.name": "given", "wsprobe.location": "given",
		"service.version": "given", "team": "web",
	}
	for _, c := range []struct {
		name    string
		options Options
		want    map[attribute.Key]string
	}{
		{"defaults", Options{InstanceID: "probes-1"}, map[attribute.Key]string{
			"service.name": "wsprobe", "service.version": "(absent)", "service.instance.id": "probes-1",
			"wsprobe.location": "(absent)", "telemetry.sdk.language": "go",
		}},
		{"configured", Options{ServiceName: "own", ServiceVersion: "1.2.3", Location: "berlin"}, map[attribute.Key]string{
			"service.name": "own", "service.version": "1.2.3", "wsprobe.location": "(absent)",
		}},
		{"attributes", Options{ServiceVersion: "1.2.3", Attributes: given}, map[attribute.Key]string{
			"service.name": "given", "service.version": "given", "service.instance.id": "given", "host.name": "given",
			"wsprobe.location": "(absent)", "team": "web",
		}},
		{"both", Options{ServiceName: "own", Location: "berlin", Attributes: given}, map[attribute.Key]string{
			"service.name": "own", "wsprobe.location": "(absent)", "team": "web",
		}},
	} {
		for key, want := range c.want {
			if got := value(c.options, key); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, key, got, want)
			}
		}
	}
	if value(Options{}, "host.name") == "" {
		t.Error("host.name is empty")
	}
}

func TestEveryProcessIsAnInstanceOfItsOwn(t *testing.T) {
	var ids []string
	for range 2 {
		v, _ := newTest(t, Options{}, new(stub)).resource.Set().Value("service.instance.id")
		ids = append(ids, v.String())
	}
	if slices.Equal(ids[:1], ids[1:]) || uuid.Validate(ids[0]) != nil {
		t.Errorf("got %v", ids)
	}
}

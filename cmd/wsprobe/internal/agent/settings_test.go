package agent

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// tree is a configuration by the paths of its values.
type tree map[string]any

// with returns the tree with other values besides.
func (f tree) with(more tree) tree {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

// yaml is the file of the tree.
func (f tree) yaml(t *testing.T) string {
	t.Helper()
	root := make(map[string]any)
	for path, value := range f {
		at, keys := root, strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			if at[key] == nil {
				at[key] = make(map[string]any)
			}
			at = at[key].(map[string]any)
		}
		at[keys[len(keys)-1]] = value
	}
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// oneProbe is the least configuration of an agent.
var oneProbe = tree{
	"probes":       []any{map[string]any{"name": "a", "url": "ws://127.0.0.1:1/"}},
	"agent.listen": "127.0.0.1:0",
}

// TestEverySettingHasARow holds that each field of these sections has a row, and each row a field.
func TestEverySettingHasARow(t *testing.T) {
	used := make(map[string]bool)
	for _, f := range config.Fields() {
		if f.Kind == config.Section || f.Kind == config.Sections || !isSetting(f.Path) {
			continue
		}
		row, ok := rowOf(f.Path)
		if !ok {
			t.Errorf("%s has no row", f.Path)
		}
		used[row.Path] = true
	}
	for _, s := range Settings() {
		if !used[s.Path] {
			t.Errorf("the row %s is of no field", s.Path)
		}
	}
}

func isSetting(path string) bool {
	return strings.HasPrefix(path, "agent.") || strings.HasPrefix(path, "otlp.") || strings.HasPrefix(path, "streams[].")
}

// rowOf returns the row of a field: that with its path, or the nearest one above it.
func rowOf(path string) (row Setting, ok bool) {
	for _, s := range settings {
		if (path == s.Path || strings.HasPrefix(path, s.Path+".")) && len(s.Path) > len(row.Path) {
			row, ok = s, true
		}
	}
	return row, ok
}

// settingChanges are two values of each setting. Further values, which both configurations have, make them valid.
func settingChanges(t *testing.T) map[string]struct {
	before, after any
	besides       tree
} {
	authority, other := wstest.NewCA(), wstest.NewCA()
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key := keyPair(t, authority, "client")
	certFile, keyFile := file("cert", cert), file("key", key)
	https := tree{"otlp.endpoint": "https://127.0.0.1:1"}
	return map[string]struct {
		before, after any
		besides       tree
	}{
		"agent.listen":                        {"127.0.0.1:0", "localhost:0", nil},
		"agent.hosts":                         {[]string{"a.example.com"}, []string{"b.example.com"}, nil},
		"agent.origins":                       {[]string{"https://a.example.com"}, []string{"https://b.example.com"}, nil},
		"agent.max_concurrent":                {7, 8, nil},
		"agent.max_sessions":                  {7, 8, nil},
		"agent.location":                      {"here", "there", nil},
		"agent.id":                            {"this", "that", nil},
		"agent.url":                           {"https://a.example.com/", "https://b.example.com/", nil},
		"agent.log_level":                     {"info", "debug", nil},
		"agent.log_format":                    {"text", "json", nil},
		"agent.shard.index":                   {0, 1, tree{"agent.shard.count": 3}},
		"agent.shard.count":                   {2, 3, tree{"agent.shard.index": 0}},
		"agent.watch":                         {"1s", "2s", nil},
		"agent.metrics.histograms":            {"classic", "native", nil},
		"agent.probe_endpoint.targets":        {[]string{"a.example.com"}, []string{"b.example.com"}, nil},
		"agent.probe_endpoint.max_concurrent": {3, 4, tree{"agent.probe_endpoint.targets": []string{"a.example.com"}}},
		"otlp.preset":                         {"splunk", "dynatrace", nil},
		"otlp.endpoint":                       {"http://127.0.0.1:1", "http://127.0.0.1:2", nil},
		"otlp.protocol":                       {"grpc", "http/protobuf", nil},
		"otlp.interval":                       {"10s", "20s", nil},
		"otlp.timeout":                        {"10s", "20s", nil},
		"otlp.compression":                    {"gzip", "none", nil},
		"otlp.temporality":                    {"cumulative", "delta", nil},
		"otlp.histograms":                     {"explicit", "exponential", nil},
		"otlp.max_scale":                      {11, 12, tree{"otlp.histograms": "exponential"}},
		"otlp.headers":                        {map[string]string{"a": "b"}, map[string]string{"a": "c"}, nil},
		"otlp.logs":                           {false, true, nil},
		"otlp.traces":                         {true, false, nil},
		"otlp.trace_ratio":                    {0.5, 0.25, tree{"otlp.traces": true}},
		"otlp.end_markers":                    {false, true, nil},
		"otlp.tls.ca_file":                    {file("ca", authority.PEM()), file("other", other.PEM()), https},
		"otlp.tls.cert_file":                  {certFile, file("same", cert), https.with(tree{"otlp.tls.key_file": keyFile})},
		"otlp.tls.key_file":                   {keyFile, file("twin", key), https.with(tree{"otlp.tls.cert_file": certFile})},
		"otlp.tls.insecure_skip_verify":       {false, true, https},
		"otlp.spool.dir":                      {filepath.Join(dir, "a"), filepath.Join(dir, "b"), nil},
		"otlp.spool.max_bytes":                {"1MiB", "2MiB", nil},
		"otlp.spool.max_age":                  {"1h", "2h", nil},
		"otlp.spool.order":                    {"strict", "interleave", nil},
	}
}

// TestSettings changes each setting and wants of its row that it is true: a live value is in force after a reload, and
// one that needs a restart is named, and is as before in everything, also in what comes of it.
func TestSettings(t *testing.T) {
	changes := settingChanges(t)
	for _, f := range config.Fields() {
		if !isSetting(f.Path) || f.Kind == config.Section || strings.HasPrefix(f.Path, "streams") || f.Path == "otlp.tls.key_password" {
			continue
		}
		t.Run(f.Path, func(t *testing.T) {
			c, ok := changes[f.Path]
			if !ok {
				t.Fatal("there are no two values of it")
			}
			row, _ := rowOf(f.Path)
			base := oneProbe.with(c.besides)
			before, after := loadTree(t, base.with(tree{f.Path: c.before})), loadTree(t, base.with(tree{f.Path: c.after}))
			if shown(&before) == shown(&after) && !strings.HasPrefix(f.Path, "otlp.tls.") {
				t.Fatal("both values mean the same")
			}
			a := idle(t, before)
			was, resource := shown(a.config()), fmt.Sprint(a.about.Resource())
			restart, err := a.Reload(after)
			if err != nil {
				t.Fatal(err)
			}
			want, named := shown(&after), []string(nil)
			if !row.Live {
				want, named = was, []string{f.Path}
			}
			if now := shown(a.config()); now != want || !slices.Equal(restart, named) {
				t.Errorf("restart %q, want %q\n%s, want\n%s", restart, named, now, want)
			}
			if now := fmt.Sprint(a.about.Resource()); now != resource {
				t.Errorf("the resource was %s, is %s", resource, now)
			}
			if restart, err := a.Reload(before); err != nil || len(restart) > 0 {
				t.Errorf("back again: restart %q, %v", restart, err)
			}
		})
	}
}

// TestExportNeedsARestart: an export that is turned on or off waits for a restart, with all that belongs to it, so that
// nothing goes to where it should not.
func TestExportNeedsARestart(t *testing.T) {
	exports := loadTree(t, oneProbe.with(tree{"otlp.endpoint": "http://127.0.0.1:1", "otlp.logs": true, "otlp.headers": tree{"a": "b"}}))
	none := loadTree(t, oneProbe.with(tree{"otlp.protocol": "none"}))
	for _, way := range [][2]config.Config{{exports, none}, {none, exports}} {
		a := idle(t, way[0])
		was := shown(a.config())
		if restart, err := a.Reload(way[1]); err != nil || !slices.Equal(restart, []string{"otlp.protocol"}) || shown(a.config()) != was {
			t.Errorf("restart %q, %v\n%s, want\n%s", restart, err, shown(a.config()), was)
		}
	}
}

// loadTree loads a configuration.
func loadTree(t *testing.T, f tree) config.Config {
	t.Helper()
	return loadText(t, f.yaml(t))
}

// loadText loads a configuration whose references stay as they are.
func loadText(t *testing.T, text string) config.Config {
	t.Helper()
	return loadFile(t, strings.ReplaceAll(text, "$", "$$"), map[string]string{"$": "$"})
}

// idle is an agent that does not run, and is given back at the end of the test.
func idle(t *testing.T, cfg config.Config) *Agent {
	t.Helper()
	a, err := New(cfg, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.abandon(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// shown are the settings of a configuration.
func shown(cfg *config.Config) string {
	otlp := cfg.OTLP
	otlp.TLS = nil
	return fmt.Sprintf("%+v %+v", cfg.Agent, otlp)
}

// keyPair is a certificate of a name and its key in PEM.
func keyPair(t *testing.T, ca *wstest.CA, name string) (cert, key []byte) {
	t.Helper()
	pair := ca.Issue(wstest.Cert{Names: []string{name}})
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

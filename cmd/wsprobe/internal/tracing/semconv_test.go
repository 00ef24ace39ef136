package tracing_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// convention is what the semantic conventions say about an attribute.
type convention struct {
	kind       string // string, int, boolean, double, Enum ...
	deprecated bool
}

// conventions reads the attributes from the source of the package whose constants the spans use: their types stand in
// its comments only.
func conventions(t *testing.T) map[string]convention {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "go.opentelemetry.io/otel/semconv/v1.43.0").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "attribute_group.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`(?m)^Type: (\S+)`)
	all := make(map[string]convention)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		call, ok := spec.Values[0].(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		key, ok := call.Args[0].(*ast.BasicLit)
		if typed := kind.FindStringSubmatch(spec.Doc.Text()); ok && typed != nil {
			name, _ := strconv.Unquote(key.Value)
			all[name] = convention{typed[1], strings.Contains(spec.Doc.Text(), "Deprecated:")}
		}
		return true
	})
	return all
}

// required are attributes without which the conventions do not know a span of this kind: that of an HTTP client for
// the upgrade, and of the general client for the run.
var required = map[string][]string{
	"upgrade":    {"http.request.method", "server.address", "server.port", "url.full", "http.response.status_code", "network.protocol.version"},
	"probe chat": {"server.address", "server.port"},
}

// TestConventions: what is not our own is in the semantic conventions, under its type, and what they require is there.
func TestConventions(t *testing.T) {
	known := conventions(t)
	if len(known) < 100 || known["server.port"].kind != "int" {
		t.Fatalf("%d attributes read, server.port is %v", len(known), known["server.port"])
	}
	types := map[attribute.Type][]string{
		attribute.STRING: {"string", "Enum"}, attribute.INT64: {"int"}, attribute.FLOAT64: {"double"}, attribute.BOOL: {"boolean"},
	}
	refused := failed(reasons.OpenFailed, reasons.HTTPStatus(403), 30*ms, probe.Phases{probe.PhaseUpgrade: broken(10*ms, 30*ms)})
	refused.HTTPStatus = 403
	for _, r := range []probe.Result{roundTrip(), refused} {
		for _, s := range builder().Spans(chat[1:], r) { // without the label
			has := attributes(s)
			for _, kv := range s.Attributes() {
				if key := string(kv.Key); !strings.HasPrefix(key, "wsprobe.") {
					c, ok := known[key]
					if kinds := strings.Join(types[kv.Value.Type()], " "); !ok || c.deprecated || !strings.Contains(" "+kinds+" ", " "+c.kind+" ") {
						t.Errorf("%s: %s is %v, the conventions have %+v", s.Name(), key, kv.Value.Type(), c)
					}
				}
			}
			for _, key := range required[s.Name()] {
				if has[key] == nil {
					t.Errorf("%s lacks %s", s.Name(), key)
				}
			}
			if failed := s.Status().Code.String() == "Error"; failed != (has["error.type"] != nil) {
				t.Errorf("%s: the status is %v, error.type is %v", s.Name(), s.Status().Code, has["error.type"])
			}
		}
	}
}

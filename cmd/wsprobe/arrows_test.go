package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module    = "github.com/wsprobe/wsprobe"
	websocket = "github.com/coder/websocket"
)

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string // direct
	Deps       []string // all
}

// goList lists packages of the module, with everything that they depend on if deps is set.
func goList(t *testing.T, deps bool) map[string]pkg {
	t.Helper()
	args := []string{"list", "-json=ImportPath,Dir,Standard,GoFiles,Imports,Deps"}
	if deps {
		args = append(args, "-deps")
	}
	out, err := exec.Command("go", append(args, module+"/...")...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string]pkg)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// within reports whether a package is the one named, or stands below it if the name ends in "/...".
func within(path, pattern string) bool {
	tree, whole := strings.CutSuffix(pattern, "/...")
	return path == tree || whole && strings.HasPrefix(path, tree+"/")
}

// TestArrows holds the direction of imports: a package knows only what stands below it.
func TestArrows(t *testing.T) {
	all := goList(t, true)
	for _, arrow := range arrows {
		for path, p := range all {
			if !within(path, arrow.from) || slices.Contains(arrow.except, path) {
				continue
			}
			imports := p.Deps
			if arrow.direct {
				imports = p.Imports
			}
			for _, to := range imports {
				if within(to, arrow.to) && to != path {
					t.Errorf("%s imports %s: %s", path, to, arrow.why)
				}
			}
		}
	}
}

// internal is where the parts of the program stand.
const internal = module + "/cmd/wsprobe/internal/"

// arrows are the imports that there must not be.
var arrows = []struct {
	from, to string // patterns
	direct   bool   // only what the package itself imports
	except   []string
	why      string
}{
	{from: module + "/probe/...", to: module + "/config/...", why: "a probe knows its Spec, not where that was read"},
	{from: module + "/probe/...", to: module + "/scheduler/...", why: "a probe does not know when it runs"},
	{from: module + "/probe/...", to: module + "/cmd/...", why: "cmd stands on top"},
	{from: module + "/probe/...", to: "github.com/spf13/viper", why: "configuration ends in config"},
	{from: module + "/probe/...", to: "go.opentelemetry.io/...", why: "a Result is a value, and its numbers are, too: who exports them is the wiring's business"},
	{from: module + "/probe", to: "log", direct: true, why: "a result says why, no log line does"},
	{from: module + "/probe", to: "log/slog", direct: true, why: "a result says why, no log line does"},
	{from: module + "/probe", to: "os", direct: true, why: "no environment, no files, no exit: everything is in the Spec"},
	{from: module + "/probe", to: module + "/probe/wstest", why: "code that measures does not know its test endpoints"},
	{from: module + "/probe", to: module + "/probe/metrics", why: "a run is measured before it is counted"},
	{from: module + "/probe", to: module + "/probe/session", why: "one run does not know a session that is held"},
	{from: module + "/probe/session", to: module + "/probe/metrics", why: "a session is held before it is counted"},
	{from: module + "/probe/bare", to: module + "/probe/session", why: "frames by hand do not know a session that is held"},
	{from: module + "/probe/health", to: module + "/probe", why: "a judge of numbers does not know how they are measured"},
	{from: module + "/probe/maintenance", to: module + "/probe", why: "a calendar does not know for whom it is"},
	{from: module + "/probe/metrics", to: module + "/probe/shape", why: "a fact is known whatever form it takes"},
	{from: module + "/probe/redact", to: module + "/probe", why: "a text is made fit to be shown whatever it is about"},
	{from: module + "/probe/visible", to: module + "/probe/...", why: "a text is made visible whatever it is about"},
	{from: module + "/probe/permit", to: module + "/probe/...", why: "a place is permitted whoever connects to it"},
	{from: module + "/probe/wstest", to: module + "/probe", why: "an endpoint does not know who measures it"},
	{from: module + "/probe/wstest", to: module + "/probe/internal/...", why: "an oracle shares no code with what it judges"},
	{from: module + "/probe/internal/...", to: module + "/probe", why: "the floors below a run do not know it"},
	{from: module + "/probe/internal/tcp", to: module + "/probe/internal/...", why: "the connection is the lowest floor"},
	{from: module + "/probe/internal/frame", to: module + "/probe/internal/opening", why: "frames come after the opening, and do not know it"},
	{from: module + "/probe/internal/frame", to: module + "/probe/internal/match", why: "a frame is judged whatever it says"},
	{from: module + "/probe/internal/opening", to: module + "/probe/internal/match", why: "the socket opens whatever is said on it"},
	{from: module + "/probe/internal/match", to: module + "/probe/internal/opening", why: "a message matches however its socket was opened"},
	{from: module + "/probe/internal/match", to: module + "/probe/internal/tcp", why: "a message matches however it came"},
	{from: module + "/scheduler/...", to: module + "/probe/...", why: "the scheduler runs jobs, whatever they do"},
	{from: module + "/scheduler/...", to: module + "/reasons/...", why: "the scheduler does not judge"},
	{from: module + "/scheduler/...", to: module + "/config/...", why: "jobs are handed to it"},
	{from: module + "/reasons/...", to: module + "/probe/...", why: "reasons is the ground floor"},
	{from: module + "/config/...", to: module + "/cmd/...", why: "cmd stands on top"},
	{from: module + "/config/...", to: module + "/scheduler/...", why: "config names intervals, it does not keep them"},
	{from: module + "/config/...", to: "go.opentelemetry.io/...", why: "configuration is read without an exporter"},
	{from: module + "/config/internal/...", to: module + "/config", why: "the tools below config know no field"},
	{from: module + "/config/internal/...", to: module + "/probe/...", why: "the tools below config know no probe"},
	{from: module + "/config/internal/keypair", to: module + "/config/internal/yamltree", why: "a certificate is read wherever its path stood"},
	{from: module + "/config/internal/yamltree", to: module + "/config/internal/keypair", why: "a tree of YAML knows no certificate"},
	{from: module + "/config/discovery", to: module + "/config", why: "targets are found without a configuration"},
	{from: module + "/config/discovery", to: module + "/probe/...", why: "a target is no probe yet"},
	{from: internal + "...", to: module + "/config/...", except: []string{internal + "agent"}, why: "only the wiring turns configuration into parts"},
	{from: module + "/...", to: internal + "agent", except: []string{module + "/cmd/wsprobe"}, why: "the wiring stands below main alone"},
	{from: module + "/cmd/wsprobe", to: internal + "telemetry", direct: true, why: "main knows the agent, not its sinks"},
	{from: module + "/...", to: module + "/config", direct: true, except: []string{module + "/cmd/wsprobe", internal + "agent"}, why: "main reads the configuration, and the wiring uses it"},
	{from: internal + "outbox", to: "go.opentelemetry.io/...", why: "the outbox keeps bytes of any protocol"},
	{from: internal + "outbox", to: "google.golang.org/...", why: "the outbox keeps bytes of any protocol"},
	{from: internal + "outbox", to: module + "/probe/...", why: "the outbox keeps bytes of any origin"},
	{from: internal + "outbox", to: internal + "telemetry", why: "the outbox does not know who fills it"},
	{from: internal + "outbox", to: internal + "otlp", why: "the outbox is handed its sender"},
	{from: internal + "watch", to: module + "/...", why: "a file is looked at whatever it has in it"},
	{from: internal + "event", to: internal + "...", why: "an event does not know where it goes"},
	{from: internal + "buffer", to: internal + "stream", why: "what waits does not know who sends it"},
	{from: internal + "buffer", to: internal + "event", why: "an event that waits is bytes in any encoding"},
	{from: internal + "buffer", to: internal + "outbox", why: "events and requests wait in different ways"},
	{from: internal + "buffer", to: module + "/probe/...", why: "a buffer keeps bytes of any origin"},
	{from: internal + "spool", to: internal + "...", why: "a directory of batches does not know who waits for them"},
	{from: internal + "spool", to: "go.opentelemetry.io/...", why: "a directory keeps bytes of any protocol"},
	{from: internal + "spool", to: module + "/probe/...", why: "a directory keeps bytes of any origin"},
	{from: internal + "otlp", to: internal + "telemetry", why: "the protocol does not know who speaks it"},
	{from: internal + "otlp", to: internal + "status", why: "a protocol shows nothing"},
	{from: internal + "prometheus", to: internal + "outbox", why: "whoever fetches waits for nothing"},
	{from: internal + "prometheus", to: internal + "otlp", why: "two protocols do not know each other"},
	{from: internal + "prometheus", to: internal + "...", why: "a run that was asked for goes to nobody else"},
	{from: internal + "tracing", to: internal + "...", why: "a span does not know how it travels, nor when"},
	{from: internal + "stream", to: internal + "telemetry", why: "results go to one place whether they go to another or not"},
	{from: internal + "stream", to: internal + "outbox", why: "an event is acknowledged by what a WebSocket says, and a request by its response"},
	{from: internal + "stream", to: internal + "status", why: "whoever delivers shows nothing"},
	{from: internal + "receiver", to: module + "/probe/...", why: "a back end does not know who measures"},
	{from: internal + "receiver", to: internal + "...", why: "an oracle shares no code with what it judges"},
	{from: internal + "demo", to: internal + "telemetry", why: "the demo shows what a back end received"},
	{from: internal + "status", to: internal + "...", why: "the page shows results, whatever the other sinks do with them"},
	{from: internal + "examine", to: internal + "...", why: "what is found out about an endpoint goes to one reader, and to no sink"},
	{from: internal + "convert", to: internal + "...", why: "files become files, whatever runs them"},
	{from: internal + "convert", to: "os", direct: true, why: "it is handed the bytes of files"},
	{from: internal + "feed", to: internal + "stream", why: "whoever comes for results needs nobody that they go to"},
	{from: internal + "feed", to: internal + "buffer", why: "a client that falls behind is dropped"},
	{from: internal + "feed", to: internal + "status", why: "results travel whether a page shows them or not"},
	{from: internal + "feed", to: internal + "telemetry", why: "results go to one place whether they go to another or not"},
	{from: internal + "journal", to: internal + "...", why: "the log has lines, whatever the other sinks do with results"},
}

// later are the packages of rows above that are still to come. A row without a package proves nothing: a package that
// is renamed takes its rows along, and one that came leaves this list.
var later []string

// TestArrowsPointAtPackages holds that each row is about packages that there are.
func TestArrowsPointAtPackages(t *testing.T) {
	all := goList(t, true)
	there := func(pattern string) bool {
		for path := range all {
			if within(path, pattern) {
				return true
			}
		}
		return false
	}
	named := make(map[string]bool)
	for _, arrow := range arrows {
		for _, pattern := range append([]string{arrow.from, arrow.to}, arrow.except...) {
			named[pattern] = true
			if !there(pattern) && !slices.Contains(later, pattern) {
				t.Errorf("%s: there is no such package, so the row proves nothing: %s", pattern, arrow.why)
			}
		}
	}
	for _, pattern := range later {
		if there(pattern) {
			t.Errorf("%s has come: take it off the list", pattern)
		}
		if !named[pattern] {
			t.Errorf("%s: no row is about it", pattern)
		}
	}
}

// TestStandardLibraryOnly holds the packages that need nothing else.
func TestStandardLibraryOnly(t *testing.T) {
	all := goList(t, true)
	for path, p := range all {
		if !within(path, module+"/reasons/...") && !within(path, module+"/scheduler/...") && path != module+"/probe/health" &&
			path != module+"/probe/maintenance" {
			continue
		}
		for _, dep := range p.Deps {
			if !all[dep].Standard && !within(dep, path) {
				t.Errorf("%s depends on %s: it stands on the standard library alone", path, dep)
			}
		}
	}
}

// source is a parsed Go file that is no test.
type source struct {
	name string // relative to the module
	file *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	for _, p := range goList(t, false) {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, source{filepath.ToSlash(relative), file, fset})
		}
	}
	if len(all) == 0 {
		t.Fatal("no sources")
	}
	return all
}

// imported returns the name under which a file knows a package, or "".
func (s source) imported(path string) string {
	for _, spec := range s.file.Imports {
		if got, _ := strconv.Unquote(spec.Path.Value); got != path {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}

// uses calls found for every mention of a name of a package.
func (s source) uses(path string, found func(name string, at token.Position)) {
	local := s.imported(path)
	if local == "" {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				found(sel.Sel.Name, s.fset.Position(sel.Pos()))
			}
		}
		return true
	})
}

// TestOneFileKnowsTheLibrary keeps the WebSocket library behind one file, so that it can be replaced. No probe needs it.
func TestOneFileKnowsTheLibrary(t *testing.T) {
	var files []string
	for _, s := range sources(t) {
		if s.imported(websocket) != "" {
			files = append(files, s.name)
		}
	}
	slices.Sort(files)
	if want := []string{"cmd/wsprobe/internal/feed/socket.go"}; !slices.Equal(files, want) {
		t.Errorf("%v import the WebSocket library, want %v", files, want)
	}
}

// TestOnlyMainExits holds that every other function returns, so that deferred calls run and tests can call it.
func TestOnlyMainExits(t *testing.T) {
	for _, s := range sources(t) {
		if s.name == "cmd/wsprobe/main.go" {
			continue
		}
		for _, path := range []string{"os", "log", "syscall"} {
			s.uses(path, func(name string, at token.Position) {
				if path != "log" && name == "Exit" || path == "log" && (strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")) {
					t.Errorf("%v: %s.%s outside main.go", at, path, name)
				}
			})
		}
	}
}

// TestNoGlobals holds that nothing is set up behind a reader's back: no init, and no state of a library that
// the whole process shares.
func TestNoGlobals(t *testing.T) {
	shared := map[string][]string{
		"net/http":                 {"DefaultClient", "DefaultTransport", "DefaultServeMux", "Handle", "HandleFunc", "Get", "Post", "PostForm", "Head"},
		"go.opentelemetry.io/otel": {"SetMeterProvider", "GetMeterProvider", "Meter", "SetTracerProvider", "GetTracerProvider", "Tracer"},
		"log/slog":                 {"SetDefault", "Default", "Info", "Warn", "Error", "Debug"},
		"log":                      {"SetOutput", "SetFlags", "Print", "Printf", "Println"},
	}
	// What viper offers without an instance works on one that the process shares.
	viperOwn := []string{"New", "NewWithOptions", "Viper", "WithCodecRegistry", "NewCodecRegistry", "ExperimentalBindStruct",
		"KeyDelimiter", "EnvKeyReplacer", "WithDecoderRegistry", "WithLogger", "WithFinder", "ConfigFileNotFoundError", "ConfigParseError",
		"Encoder", "Decoder", "Codec", "CodecRegistry", "EncoderRegistry", "DecoderRegistry", "DefaultCodecRegistry", "Option"}
	for _, s := range sources(t) {
		for _, declared := range s.file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%v: func init", s.fset.Position(f.Pos()))
			}
		}
		for path, names := range shared {
			s.uses(path, func(name string, at token.Position) {
				if slices.Contains(names, name) {
					t.Errorf("%v: %s.%s is shared by the whole process", at, path, name)
				}
			})
		}
		s.uses("github.com/spf13/viper", func(name string, at token.Position) {
			if !slices.Contains(viperOwn, name) {
				t.Errorf("%v: viper.%s works on the global instance", at, name)
			}
		})
	}
}

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
	for _, arrow := range []struct {
		from, to string // patterns
		direct   bool   // only what the package itself imports
		why      string
	}{
		{module + "/probe/...", module + "/config/...", false, "a probe knows its Spec, not where that was read"},
		{module + "/probe/...", module + "/scheduler/...", false, "a probe does not know when it runs"},
		{module + "/probe/...", module + "/cmd/...", false, "cmd stands on top"},
		{module + "/probe/...", "github.com/spf13/viper", false, "configuration ends in config"},
		{module + "/probe/...", "go.opentelemetry.io/...", false, "a Result is a value; who exports it is the wiring's business"},
		{module + "/probe", "log", true, "a result says why, no log line does"},
		{module + "/probe", "log/slog", true, "a result says why, no log line does"},
		{module + "/probe", "os", true, "no environment, no files, no exit: everything is in the Spec"},
		{module + "/probe", module + "/probe/wstest", false, "what measures does not know what it is tested with"},
		{module + "/probe/health", module + "/probe", false, "a judge of numbers does not know how they are measured"},
		{module + "/scheduler/...", module + "/probe/...", false, "the scheduler runs jobs, whatever they do"},
		{module + "/scheduler/...", module + "/reasons/...", false, "the scheduler does not judge"},
		{module + "/scheduler/...", module + "/config/...", false, "jobs are handed to it"},
		{module + "/reasons/...", module + "/probe/...", false, "reasons is the ground floor"},
		{module + "/config/...", module + "/cmd/...", false, "cmd stands on top"},
		{module + "/config/...", module + "/scheduler/...", false, "config names intervals, it does not keep them"},
		{module + "/config/...", "go.opentelemetry.io/...", false, "configuration is read without an exporter"},
		{module + "/cmd/wsprobe/internal/...", module + "/config/...", false, "only the wiring turns configuration into parts"},
	} {
		for path, p := range all {
			if !within(path, arrow.from) {
				continue
			}
			imports := p.Deps
			if arrow.direct {
				imports = p.Imports
			}
			for _, to := range imports {
				if within(to, arrow.to) {
					t.Errorf("%s imports %s: %s", path, to, arrow.why)
				}
			}
		}
	}
	for path, p := range all {
		if within(path, module+"/...") && path != module+"/cmd/wsprobe" && slices.Contains(p.Imports, module+"/config") {
			t.Errorf("%s imports config: only the wiring in cmd/wsprobe may", path)
		}
	}
}

// TestStandardLibraryOnly holds the packages that need nothing else.
func TestStandardLibraryOnly(t *testing.T) {
	all := goList(t, true)
	for path, p := range all {
		if !within(path, module+"/reasons/...") && !within(path, module+"/scheduler/...") && path != module+"/probe/health" {
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

// TestOneFileKnowsTheLibrary keeps the WebSocket library behind one file, so that it can be replaced.
func TestOneFileKnowsTheLibrary(t *testing.T) {
	var files []string
	for _, s := range sources(t) {
		if s.imported(websocket) != "" {
			files = append(files, s.name)
		}
	}
	if want := []string{"probe/ws.go"}; !slices.Equal(files, want) {
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

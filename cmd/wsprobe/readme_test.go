package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/convert"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

var update = flag.Bool("update", false, "write the tables of the pages anew")

// root is the folder of the repository, seen from this package.
const root = "../../"

// tables are the parts of the pages that the code dictates. Each page stands in the folder that its tables come from.
// A table has the name in its markers.
var tables = []struct {
	page, name string
	table      func() string
}{
	{"config/README.md", "probe fields", probeFieldTable},
	{"config/README.md", "agent settings", settingTable},
	{"config/README.md", "live settings", liveTable},
	{"config/README.md", "stream fields", streamFieldTable},
	{"config/README.md", "discover fields", discoverFieldTable},
	{"deploy/README.md", "presets", presetTable},
	{"reasons/README.md", "reasons", reasonTable},
	{"reasons/README.md", "error types", errorTypeTable},
	{"probe/metrics/README.md", "metrics", metricTable},
	{"probe/metrics/README.md", "log records", eventTable},
	{"probe/metrics/README.md", "spans", spanTable},
	{"probe/metrics/README.md", "session facts", sessionFactTable},
	{"probe/metrics/README.md", "session span events", spanEventTable},
	{"probe/shape/README.md", "event example", eventExample},
	{"probe/shape/README.md", "event fields", eventFieldTable},
	{"probe/shape/README.md", "event encodings", eventEncodings},
	{"probe/session/README.md", "session ends", sessionEndTable},
	{"probe/session/README.md", "session owners", ownerTable},
	{"cmd/wsprobe/README.md", "commands", commandTable},
	{"cmd/wsprobe/README.md", "convert flags", func() string { return flagTable("convert") }},
	{"deploy/streams.md", "options of vector", func() string { return parityTable("Vector", convert.VectorOptions()) }},
	{"deploy/streams.md", "options of fluent bit", func() string { return parityTable("Fluent Bit", convert.FluentBitOptions()) }},
	{"deploy/streams.md", "options of telegraf", func() string { return parityTable("Telegraf", convert.TelegrafOptions()) }},
	{"deploy/blackbox.md", "metrics of blackbox", blackboxMetricTable},
	{"deploy/blackbox.md", "missing metrics of blackbox", blackboxMissingTable},
	{"deploy/blackbox.md", "options of blackbox", blackboxOptionTable},
	{"deploy/blackbox.md", "special networks", specialTable},
	{"cmd/wsprobe/README.md", "once flags", func() string { return flagTable("once") }},
	{"cmd/wsprobe/README.md", "hold flags", func() string { return flagTable("hold") }},
	{"cmd/wsprobe/README.md", "hold keys", holdKeyTable},
	{"cmd/wsprobe/README.md", "target endpoints", heldTable},
	{"cmd/wsprobe/README.md", "target hosts", targetHostTable},
	{"cmd/wsprobe/README.md", "target flags", func() string { return flagTable("target") }},
	{"cmd/wsprobe/README.md", "result keys", resultKeyTable},
	{"cmd/wsprobe/README.md", "once keys", func() string { return keyTable(reflect.TypeFor[onceKeys]()) }},
	{"cmd/wsprobe/README.md", "examine flags", func() string { return flagTable("examine") }},
	{"cmd/wsprobe/README.md", "stream keys", func() string { return keyTable(reflect.TypeFor[status.Stream]()) }},
	{"cmd/wsprobe/README.md", "config keys", func() string { return keyTable(reflect.TypeFor[status.Config]()) }},
	{"cmd/wsprobe/README.md", "discovery keys", func() string { return keyTable(reflect.TypeFor[status.Discovery]()) }},
	{"cmd/wsprobe/README.md", "session keys", func() string { return keyTable(reflect.TypeFor[status.Session]()) }},
	{"cmd/wsprobe/README.md", "examine keys", func() string { return keyTable(reflect.TypeFor[examine.Report]()) }},
}

// TestReadmeTables holds the tables of the pages to the code. go test ./cmd/wsprobe -update writes them.
func TestReadmeTables(t *testing.T) {
	for _, table := range tables {
		t.Run(table.name, func(t *testing.T) {
			text := page(t, table.page)
			section := regexp.MustCompile(`(?s)<!-- begin ` + table.name + ` -->\n.*?<!-- end ` + table.name + ` -->`)
			found := section.FindStringIndex(text)
			if found == nil {
				t.Fatalf("%s has no section %q", table.page, table.name)
			}
			want := "<!-- begin " + table.name + " -->\n" + table.table() + "<!-- end " + table.name + " -->"
			got := text[found[0]:found[1]]
			switch {
			case got == want:
			case !*update:
				t.Errorf("%s says\n%s\nthe code says\n%s", table.page, got, want)
			default:
				text = text[:found[0]] + want + text[found[1]:]
				if err := os.WriteFile(root+table.page, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// page returns the text of a page, whose path begins at the root of the repository.
func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(root + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeExample loads the configuration that the README shows, and wants the fault that it shows from what it says
// leads to it.
func TestReadmeExample(t *testing.T) {
	content := page(t, "README.md")
	_, rest, found := strings.Cut(content, "\n    # wsprobe.yaml\n")
	if !found {
		t.Fatal("the README shows no wsprobe.yaml")
	}
	file := "# wsprobe.yaml\n"
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		file += line[4:]
	}
	t.Chdir(t.TempDir())
	load := func(text string) error {
		if err := os.WriteFile("wsprobe.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load("wsprobe.yaml")
		return err
	}
	if err := load(file); err != nil {
		t.Errorf("the example: %v", err)
	}
	err := load(strings.Replace(file, "timeout_ms: 5000", "timeout_ms: 50", 1))
	if err == nil || !strings.Contains(content, "\n    "+err.Error()+"\n") {
		t.Errorf("the README does not show %q", err)
	}
}

// TestReadmeNamesDependencies wants a line of why for each module that the code imports itself.
func TestReadmeNamesDependencies(t *testing.T) {
	text := page(t, "CONTRIBUTING.md")
	gomod, err := os.ReadFile(root + "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(gomod)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) != 2 || !strings.Contains(fields[0], ".") || strings.Contains(line, "// indirect") {
			continue
		}
		if row := "| " + fields[0] + " |"; !strings.Contains(text, row) {
			t.Errorf("CONTRIBUTING.md has no row %q", row)
		}
	}
}

// markdown renders a table.
func markdown(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// code renders words as Markdown code, or nothing for nothing.
func code(words ...string) string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, "`"+w+"`")
		}
	}
	return strings.Join(out, ", ")
}

func probeFieldTable() string { return fieldTable("probes[].") }

// streamFieldTable leaves out the fields of tls and auth, which are those of a probe.
func streamFieldTable() string { return fieldTable("streams[].", "tls.", "auth.") }

// discoverFieldTable leaves out the fields of tls and auth, which are those of a probe.
func discoverFieldTable() string { return fieldTable("discover[].", "http.tls.", "http.auth.") }

// fieldTable has the fields whose paths begin so, but not those that go on in one of these ways.
func fieldTable(list string, without ...string) string {
	var rows [][]string
	for _, f := range config.Fields() {
		name, ok := strings.CutPrefix(f.Path, list)
		if !ok || slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		fallback := code(f.Default)
		if f.Required {
			fallback = "required"
		}
		rows = append(rows, []string{code(name), f.Kind.String(), fallback, f.Range(), f.Doc})
	}
	return markdown([]string{"field", "type", "default", "range", "meaning"}, rows)
}

func settingTable() string {
	var rows [][]string
	for _, f := range config.Fields() {
		if f.Kind == config.Section || slices.ContainsFunc([]string{"probes", "streams", "modules", "discover"},
			func(list string) bool { return strings.HasPrefix(f.Path, list) }) {
			continue
		}
		rows = append(rows, []string{code(f.Path), code(f.Default), f.Range(), code(f.Env), code(f.OTel...), f.Doc})
	}
	return markdown([]string{"setting", "default", "range", "above the file", "below the file", "meaning"}, rows)
}

func liveTable() string {
	var rows [][]string
	for _, s := range agent.Settings() {
		applies := "restart"
		if s.Live {
			applies = "live"
		}
		rows = append(rows, []string{code(s.Path), applies, s.Doc})
	}
	return markdown([]string{"setting", "a change is", "when, or why"}, rows)
}

func presetTable() string {
	var rows [][]string
	for _, p := range config.Presets() {
		var values, needs, sources []string
		for _, v := range p.Values {
			values = append(values, code(strings.TrimPrefix(v.Path, "otlp.")+": "+v.Value))
			if v.Need != "" {
				needs = append(needs, v.Need)
			}
		}
		for i, source := range p.Sources {
			sources = append(sources, fmt.Sprintf("[%d](%s)", i+1, source))
		}
		tried := "no"
		if p.Tried {
			tried = "yes"
		}
		rows = append(rows, []string{code(p.Name), strings.Join(values, ", "), strings.Join(needs, "; "), tried, strings.Join(sources, ", ")})
	}
	return markdown([]string{"preset", "values", "because", "tried", "source"}, rows)
}

func reasonTable() string {
	var rows [][]string
	for _, c := range reasons.Codes() {
		rows = append(rows, []string{code(string(c)), c.When(), c.Hint()})
	}
	return markdown([]string{"reason", "when", "hint"}, rows)
}

func errorTypeTable() string {
	var rows [][]string
	for _, k := range reasons.Kinds() {
		var codes []string
		for _, c := range k.Codes {
			codes = append(codes, string(c))
		}
		help := ""
		if hint := tableHint(k.Codes[0], k.Type, 0); hint != k.Codes[0].Hint() {
			help = hint
		}
		rows = append(rows, []string{code(string(k.Type)), code(codes...), k.Means, help})
	}
	rows = append(rows, []string{"`http_400` … `http_599`", code(string(reasons.OpenFailed)), "the server answered with this status instead of 101", ""})
	for status := 400; status < 600; status++ {
		what := reasons.HTTPStatus(status)
		if hint := tableHint(reasons.OpenFailed, what, status); hint != tableHint(reasons.OpenFailed, "http_599", status/100*100+80) {
			rows = append(rows, []string{code(string(what)), code(string(reasons.OpenFailed)), http.StatusText(status), hint})
		}
	}
	return markdown([]string{"error.type", "beside", "meaning", "hint, where there is a better one"}, rows)
}

// tableHint is the hint on a failure of which nothing else is known than that the request had gone out by wss://.
func tableHint(c reasons.Code, what reasons.ErrorType, status int) string {
	clues := reasons.Clues{Stage: reasons.StageUpgrade, Secure: true, Last: reasons.SentMessage, Expected: reasons.ExpectedText, Status: status}
	switch what {
	case reasons.HTTPRedirect:
		clues.Status, clues.Says = http.StatusFound, reasons.SaysElsewhere
	case reasons.NotWebSocket:
		clues.Status = http.StatusOK
	case reasons.CloseFrame:
		return c.Hint()
	}
	return reasons.Hint(reasons.Failure{Code: c, Type: what, Clues: clues}, nil)
}

func metricTable() string {
	var rows [][]string
	for _, m := range slices.Concat(telemetry.Metrics(), telemetry.SelfMetrics()) {
		rows = append(rows, []string{code(m.Name), string(m.Kind), code(m.Unit), code(m.Attributes...), m.Description})
	}
	return markdown([]string{"metric", "kind", "unit", "attributes besides", "meaning"}, rows)
}

func eventTable() string {
	var rows [][]string
	for _, e := range telemetry.Events() {
		rows = append(rows, []string{code(e.Name), e.Severity.String(), e.Description, besideSession(e.Attributes)})
	}
	return markdown([]string{"event", "severity", "meaning", "attributes besides"}, rows)
}

func spanTable() string {
	var rows [][]string
	for _, s := range tracing.Table() {
		rows = append(rows, []string{code(s.Name), s.Kind, s.Description, besideSession(s.Attributes)})
	}
	return markdown([]string{"span", "kind", "meaning", "attributes"}, rows)
}

// besideSession names attributes, and those of a session in short: they have a table of their own.
func besideSession(attributes []string) string {
	facts := metrics.SessionKeys()
	others := slices.DeleteFunc(slices.Clone(attributes), func(key string) bool { return slices.Contains(facts, key) })
	if len(others)+len(facts) > len(attributes) {
		return code(attributes...)
	}
	return code(others...) + ", and the facts of a session"
}

func sessionFactTable() string {
	var rows [][]string
	for _, f := range metrics.SessionFields() {
		rows = append(rows, []string{code(f.Attribute), code(f.Key), string(f.Type), f.Doc})
	}
	return markdown([]string{"attribute", "key in the API and the log", "type", "meaning"}, rows)
}

func spanEventTable() string {
	var rows [][]string
	for _, e := range tracing.Events() {
		rows = append(rows, []string{code(e.Name), e.Description, code(e.Attributes...)})
	}
	return markdown([]string{"event", "meaning", "attributes"}, rows)
}

func resultKeyTable() string {
	var rows [][]string
	for _, f := range metrics.Fields() {
		if f.Key != "" {
			rows = append(rows, []string{code(f.Key), string(f.Type), f.Doc})
		}
	}
	return markdown([]string{"key", "type", "meaning"}, rows)
}

// holdKeyTable has the keys of all lines of `hold --json`. Of those that several lines have, one has the words.
func holdKeyTable() string {
	return keyTable(reflect.TypeFor[holdStart](), reflect.TypeFor[holdOpen](), reflect.TypeFor[holdTrip](), reflect.TypeFor[holdMessage](),
		reflect.TypeFor[holdMessages](), reflect.TypeFor[holdEnd](), reflect.TypeFor[holdClosed](), reflect.TypeFor[holdFinding](),
		reflect.TypeFor[holdSummary]())
}

// keyTable has the keys of objects, each once.
func keyTable(objects ...reflect.Type) string {
	plain := strings.NewReplacer("*main.tlsView", "object", "*main.holdSpread", "object", "*metrics.Observation", "object", "*status.End", "object",
		"[]main.frameView", "list of objects", "[]status.Fault", "list of objects", "[]status.Rejection", "list of objects", "[]main.holdOwner", "list of objects",
		"[]*examine.Session", "list of objects", "[]examine.Variant", "list of objects", "[]examine.Finding", "list of objects",
		"*examine.IdleLimit", "object", "*examine.LifetimeLimit", "object", "*examine.ServerPings", "object", "*examine.Longest", "object",
		"*examine.Farewell", "object", "examine.Seconds", "number", "[]string", "list of texts",
		"*", "", "[]float64", "list of numbers", "map[string]float64", "names to numbers", "map[string]int64", "names to numbers", "map[string]int", "names to numbers", "map[session.Cause]int", "names to numbers",
		"float64", "number", "uint64", "number", "int64", "number", "int", "number", "string", "text", "time.Time", "time",
		"session.Cause", "text", "session.Verdict", "text", "session.Limit", "text", "reasons.ErrorType", "text")
	var rows [][]string
	seen := make(map[string]bool)
	for _, object := range objects {
		for _, f := range reflect.VisibleFields(object) {
			key, means := strings.TrimSuffix(f.Tag.Get("json"), ",omitempty"), f.Tag.Get("doc")
			if f.Anonymous || means == "" || seen[key] {
				continue
			}
			seen[key] = true
			kind := plain.Replace(strings.NewReplacer("[]*float64", "[]float64").Replace(f.Type.String()))
			rows = append(rows, []string{code(key), kind, means})
		}
	}
	return markdown([]string{"key", "type", "meaning"}, rows)
}

func commandTable() string {
	var rows [][]string
	for _, c := range newRoot(io.Discard, io.Discard).Commands() {
		if c.Hidden || slices.Contains([]string{"help", "completion"}, c.Name()) {
			continue
		}
		rows = append(rows, []string{code("wsprobe " + c.Use), c.Short})
	}
	return markdown([]string{"command", "effect"}, rows)
}

// flagTable has the flags of a command.
func flagTable(name string) string {
	command, _, err := newRoot(io.Discard, io.Discard).Find([]string{name})
	if err != nil {
		panic(err)
	}
	var rows [][]string
	command.Flags().VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		names := "--" + f.Name
		if f.Shorthand != "" {
			names = "-" + f.Shorthand + ", " + names
		}
		if !slices.Contains([]string{"", "false", "[]", "0", "0s"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		if f.Name != "help" {
			rows = append(rows, []string{code(strings.TrimSpace(names + " " + value)), usage})
		}
	})
	return markdown([]string{"flag of `" + name + "`", "meaning"}, rows)
}

// heldTable has the endpoints of `wsprobe target` that have parameters.
func heldTable() string {
	var rows [][]string
	for _, c := range wstest.Catalogue(defaultTargetText) {
		var parameters []string
		for _, p := range c.Parameters {
			parameters = append(parameters, fmt.Sprintf("%s: %s (%s; %s to %s)",
				code(p.Name), p.Means, p.Format(p.Default), p.Format(p.Least), p.Format(p.Most)))
		}
		if len(parameters) > 0 {
			rows = append(rows, []string{code("/" + c.Name), c.Does, strings.Join(parameters, "<br>")})
		}
	}
	return markdown([]string{"path", "endpoint", "parameters (default; range)"}, rows)
}

func targetHostTable() string {
	names := regexp.MustCompile(`--[a-z-]+|[a-z]+_[a-z_]+`)
	var rows [][]string
	for _, c := range wstest.NewTLSCatalogue().Cases {
		rows = append(rows, []string{code(c.Host), c.Does, names.ReplaceAllString(outcomeOf(c.Host), "`$0`")})
	}
	return markdown([]string{"host", "TLS", "result of `once --ca-file`"}, rows)
}

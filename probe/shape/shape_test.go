package shape_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
)

var update = flag.Bool("update", false, "write the schema anew")

const schemaFile = "event.schema.json"

// TestSchemaFile holds the file to the table of fields. go test -update writes it.
func TestSchemaFile(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, shape.Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, shape.Schema()) {
		t.Errorf("%s is not what Schema returns: run go test ./probe/shape -update", schemaFile)
	}
}

// TestFields: an event has every fact of a result and of a session, each once and with a key of its own in OTLP.
func TestFields(t *testing.T) {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, f := range shape.Fields() {
		if names[f.Name] || f.Attribute != "" && keys[f.Attribute] || f.Doc == "" || f.Type == "" {
			t.Errorf("%+v is there twice, or lacks something", f)
		}
		names[f.Name], keys[f.Attribute] = true, true
	}
	for _, f := range metrics.Fields() {
		if f.Key != "" && !names[f.Key] {
			t.Errorf("%s is missing", f.Key)
		}
	}
	for _, f := range metrics.SessionFields() {
		if !names["session."+f.Key] {
			t.Errorf("session.%s is missing", f.Key)
		}
	}
	if got := shape.Names(); len(got) != len(names) || got[0] != "id" || strings.Contains(got[10], ".") {
		t.Errorf("names are %q", got)
	}
}

// TestValidate: every name that is wrong is a fault at its place.
func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		options shape.Options
		want    []string // the beginnings of faults
	}{
		"nothing chosen": {},
		"everything chosen": {options: shape.Options{
			Codec: "csv", OnlyFields: []string{"id", "labels.team", "session", "phases_ms.tls", "timestamp", "probe"}, ExceptFields: []string{"session.finding"},
			Rename: map[string]string{"probe": "check", "id": "probe"}, Static: map[string]string{"env": "x", "reason": "kept, because the field is left out"},
			TimestampFormat: "unix_ms", DateKey: "@timestamp", CSVFields: []string{"id", "labels.team", "session.cause", "env"}, CSVDelimiter: "\t",
		}},
		"a codec":         {shape.Options{Codec: "gelf"}, []string{"Codec must be one of json, json_lines, "}},
		"a format":        {shape.Options{TimestampFormat: "iso8601"}, []string{"TimestampFormat must be one of rfc3339, "}},
		"a delimiter":     {shape.Options{CSVDelimiter: `"`}, []string{"CSVDelimiter must be one character"}},
		"two delimiters":  {shape.Options{CSVDelimiter: ";;"}, []string{"CSVDelimiter must be one character"}},
		"unknown fields":  {shape.Options{OnlyFields: []string{"id", "host"}, ExceptFields: []string{"session.x"}}, []string{`OnlyFields[1] must be a field of an event, got "host"`, `ExceptFields[0] must`}},
		"a field within":  {shape.Options{Rename: map[string]string{"session.cause": "x"}}, []string{"Rename[session.cause] must be a field of the first level"}},
		"a label":         {options: shape.Options{OnlyFields: []string{"labels.k8s.pod"}}},
		"no label":        {shape.Options{OnlyFields: []string{"labels."}}, []string{"OnlyFields[0] must"}},
		"a name twice":    {shape.Options{Rename: map[string]string{"probe": "url"}}, []string{`Rename[probe] must leave each field a name of its own: url is named "url", too`}},
		"names exchanged": {options: shape.Options{Rename: map[string]string{"probe": "url", "url": "probe"}}},
		"static twice":    {shape.Options{Static: map[string]string{"id": "x"}}, []string{"Static[id] must leave"}},
		"date twice":      {shape.Options{DateKey: "probe"}, []string{`DateKey must leave`}},
		"date twice over": {shape.Options{DateKey: "date", Rename: map[string]string{"timestamp": "time"}}, []string{"Rename[timestamp] must not stand beside date_key"}},
		"no name":         {shape.Options{Rename: map[string]string{"probe": ""}, Static: map[string]string{"\xff": ""}}, []string{"Rename[probe] must be a name", "Static[\xff] must be a name"}},
		"columns": {shape.Options{Codec: "csv", CSVFields: []string{"id", "id", "probe", "x"}, ExceptFields: []string{"probe"}},
			[]string{`CSVFields[1] must not repeat`, `CSVFields[2] must not be a field that only_fields or except_fields leave out`, `CSVFields[3] must be a field of an event or of static`}},
		"no template":      {shape.Options{Codec: "text"}, []string{"Template must be there"}},
		"a template":       {options: shape.Options{Codec: "text", Template: "{{ probe }} of {{labels.team}} {{env}}: {{reason}} }} {", Static: map[string]string{"env": "x"}}},
		"an open brace":    {shape.Options{Codec: "text", Template: "{{probe"}, []string{"Template must be UTF-8"}},
		"an empty brace":   {shape.Options{Codec: "text", Template: "{{ }}"}, []string{"Template must be UTF-8"}},
		"unknown brace":    {shape.Options{Codec: "text", Template: "{{host}}"}, []string{`Template must be a field of an event or of static, got "host"`}},
		"replay twice":     {shape.Options{Codec: "text", Template: "{{replay}}{{replay}}"}, []string{"Template must not repeat {{replay}}"}},
		"an attribute":     {shape.Options{Codec: "otlp_json", Static: map[string]string{"wsprobe.reason": "x"}}, []string{"Static[wsprobe.reason] must leave each field a name of its own: reason "}},
		"no attribute now": {options: shape.Options{Codec: "otlp_json", ExceptFields: []string{"reason"}, Static: map[string]string{"wsprobe.reason": "x", "probe": "y"}}},
	} {
		var got []string
		for _, fault := range c.options.Validate() {
			got = append(got, fault.Error())
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestSelects: only_fields and except_fields choose fields, and the ones within them.
func TestSelects(t *testing.T) {
	for _, c := range []struct {
		only, except []string
		yes, no      []string
	}{
		{yes: []string{"id", "session", "session.cause"}},
		{only: []string{"id", "session.cause"}, yes: []string{"id", "session", "session.cause"}, no: []string{"probe", "session.sure"}},
		{only: []string{"session", "session.cause"}, yes: []string{"session.sure"}},
		{except: []string{"session.cause", "probe"}, yes: []string{"id", "session", "session.sure"}, no: []string{"probe", "session.cause"}},
		{only: []string{"session.cause"}, except: []string{"session"}, no: []string{"session", "session.cause", "id"}},
		{only: []string{"labels.a.b"}, yes: []string{"labels", "labels.a.b"}, no: []string{"labels.a"}},
	} {
		o := shape.Options{OnlyFields: c.only, ExceptFields: c.except}
		for _, name := range c.yes {
			if !o.Selects(name) {
				t.Errorf("only %q, except %q: %s is left out", c.only, c.except, name)
			}
		}
		for _, name := range c.no {
			if o.Selects(name) {
				t.Errorf("only %q, except %q: %s is written", c.only, c.except, name)
			}
		}
	}
}

package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const schemaFile = "wsprobe.schema.json"

// TestSchemaFile holds the file that editors use to the table of fields. go test -update writes it.
func TestSchemaFile(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Schema()) {
		t.Errorf("%s is not what Schema returns: run go test ./config -update", schemaFile)
	}
}

// TestSchemaAcceptsGoodFiles: whatever Load accepts fits the schema.
func TestSchemaAcceptsGoodFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*")
	s := compileSchema(t)
	for _, file := range files {
		if err := s.Validate(parsed(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaRefusesBadFiles: an editor sees the faults that are about one field and its type, word or range.
func TestSchemaRefusesBadFiles(t *testing.T) {
	s := compileSchema(t)
	for _, name := range []string{
		"agent_types", "agent_wrong", "defaults_name_and_url", "interpretation_wrong", "interval_wrong", "labels_wrong_type",
		"message_not_text", "message_types", "otlp_endpoint_01", "otlp_tls_types", "otlp_wrong", "ping_mode_wrong",
		"probe_missing_fields", "probe_unknown_keys", "protocols_too_many", "root_dotted_key", "root_probes_mapping", "root_unknown_keys", "root_wrong_case", "timeout_out_of_range",
	} {
		if err := s.Validate(parsed(t, "testdata/bad/"+name+".yaml")); err == nil {
			t.Errorf("%s: the schema has no objection", name)
		}
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed reads a file as an editor does.
func parsed(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil && !strings.Contains(err.Error(), "already defined") {
		t.Fatal(err)
	}
	return asJSON(value)
}

// asJSON makes a time a text, which it is to JSON.
func asJSON(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = asJSON(v[key])
		}
	case []any:
		for i := range v {
			v[i] = asJSON(v[i])
		}
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return value
}

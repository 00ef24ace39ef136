package event

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"testing"

	"github.com/wsprobe/wsprobe/probe/shape"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a message with a file. A binary one is in the form of hexdump -C there.
func golden(t *testing.T, file string, binary bool, message []byte) {
	t.Helper()
	if binary {
		message = []byte(hex.Dump(message))
	}
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, message, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(message, want) {
		t.Errorf("%s is\n%s\nwant\n%s\nIf it shall be so: go test ./cmd/wsprobe/internal/event -update", file, message, want)
	}
}

// TestGolden: a message of a run and of the end of a session, whole, in each encoding. A receiver depends on every
// byte.
func TestGolden(t *testing.T) {
	for _, codec := range shape.Codecs() {
		o := agent(shape.Options{Codec: codec, CSVHeader: true, Template: "{{timestamp}} {{probe}}: {{event}} {{reason}}, {{labels}} {{session}}", Static: map[string]string{"env": "test"}})
		o.Batched = true
		e := encoder(t, o)
		golden(t, codec+".golden", Binary(e.Name()), joined(e, 1, ran(), held(5)))
	}
}

// TestExamples: the examples of the page about events.
func TestExamples(t *testing.T) {
	for _, codec := range shape.Codecs() {
		o := agent(shape.Options{Codec: codec, CSVHeader: true, Template: "{{probe}} is {{reason}}: {{value}} {{unit}}",
			OnlyFields: []string{"id", "replay", "event", "timestamp", "labels", "probe", "reason", "error_type", "value", "unit"}, TimestampFormat: shape.UnixMS})
		e := encoder(t, o)
		golden(t, "example_"+codec+".golden", Binary(e.Name()), joined(e, 0, ran()))
	}
	golden(t, "event.golden", false, joined(encoder(t, agent(shape.Options{})), 0, ran()))
}

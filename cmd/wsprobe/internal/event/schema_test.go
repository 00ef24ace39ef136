package event

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// TestEventsFitTheSchema: every event does, and none does with a key more, a key less, or another type.
func TestEventsFitTheSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(shape.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	fits := func(o any) bool {
		t.Helper()
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		read, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(read) == nil
	}
	e := encoder(t, Options{Batched: true})
	for i, o := range readJSON(t, joined(e, 0, samples()...)) {
		if !fits(o) {
			t.Errorf("%v does not fit: %v", o, s.Validate(o))
		}
		for key, value := range o {
			delete(o, key)
			if fits(o) {
				t.Errorf("event %d fits without %s", i, key)
			}
			o[key+"_"] = value
			if fits(o) {
				t.Errorf("event %d fits with %s_", i, key)
			}
			delete(o, key+"_")
			o[key] = []string{"another type"}
			if fits(o) {
				t.Errorf("event %d fits with a list of texts as %s", i, key)
			}
			o[key] = value
		}
	}
}

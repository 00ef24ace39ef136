package shape

import (
	"encoding/json"
	"strings"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of an event as Options without any choice write it. It is made from
// the table of fields.
func Schema() []byte {
	fields := Fields()
	root := object(fields, "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://raw.githubusercontent.com/wsprobe/wsprobe/main/probe/shape/event.schema.json"
	root["title"] = "wsprobe event"
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings and lists only
	}
	return append(text, '\n')
}

// object describes an object by the fields whose name begins with the prefix and has one part more.
func object(fields []Field, prefix string) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || strings.Contains(name, ".") {
			continue
		}
		property := valueOf(fields, &f)
		property["description"] = f.Doc
		properties[name] = property
		required = append(required, name)
	}
	return schema{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

// valueOf describes the value of a field.
func valueOf(fields []Field, f *Field) schema {
	switch f.Name {
	case ID:
		return schema{"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
	case Replay:
		return schema{"type": "integer", "minimum": 0}
	case Kind:
		return schema{"enum": Kinds()}
	case "reason":
		return schema{"enum": reasons.Names()}
	case Phases:
		s := object(fields, Phases+".")
		delete(s, "required") // those that ended
		return s
	case Session:
		s := object(fields, Session+".")
		s["type"] = nullable(f, "object")
		return s
	}
	switch f.Type {
	case metrics.TypeNumber:
		return schema{"type": nullable(f, "number")}
	case metrics.TypeBool:
		return schema{"type": nullable(f, "boolean")}
	case metrics.TypeTime:
		return schema{"type": nullable(f, "string"), "format": "date-time"}
	case metrics.TypeNumbers:
		return schema{"type": nullable(f, "array"), "items": schema{"type": []string{"number", "null"}}}
	case TypeTexts:
		return schema{"type": nullable(f, "object"), "additionalProperties": schema{"type": "string"}}
	default:
		return schema{"type": nullable(f, "string")}
	}
}

// nullable is a type, or null. A phase that is there has a length.
func nullable(f *Field, name string) any {
	if f.Always || strings.HasPrefix(f.Name, Phases+".") {
		return name
	}
	return []string{name, "null"}
}

// Kinds returns the values of the field event.
func Kinds() []string {
	all := []string{"run"}
	for moment := metrics.SessionOpened; moment <= metrics.SessionExplained; moment++ {
		all = append(all, "session."+moment.String())
	}
	return all
}

package config

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Schema returns the JSON Schema (draft 2020-12) of a configuration file, for editors. It is made from the table of
// fields. Whatever [Load] accepts fits it; rules about several fields, and the files and the environment, are
// beyond it.
func Schema() []byte {
	root := object(Fields(), "", "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://raw.githubusercontent.com/wsprobe/wsprobe/main/config/wsprobe.schema.json"
	root["title"] = "wsprobe configuration"
	root["type"] = "object"
	root["patternProperties"] = schema{"^" + yamltree.AnchorPrefix: schema{"description": "a place for anchors, otherwise ignored"}}
	root["$defs"] = schema{"reference": schema{"type": "string", "pattern": `\$\{(env|file):[^}]+\}|\{\{ ?target\.`}}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings and numbers only
	}
	return append(text, '\n')
}

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

// object describes a mapping by the fields whose path begins with the prefix and has one part more. The
// section is "defaults" or "modules" where the fields of a probe stand there.
func object(fields []Field, prefix, section string) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		if section == "modules" && f.Path == "probes[].name" {
			f.Doc = "name of the module, unique"
		}
		key, ok := strings.CutPrefix(f.Path, prefix)
		if !ok || strings.ContainsAny(key, ".[") || section == "defaults" && f.Required || section == "modules" && refusedInModule[key] != "" {
			continue
		}
		if f.Required {
			required = append(required, key)
		}
		properties[key] = property(fields, f, prefix)
	}
	s := schema{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["type"], s["required"] = "object", required
	}
	return s
}

// property describes one field. A field that may be absent may also be null.
func property(fields []Field, f Field, prefix string) schema {
	var s schema
	switch f.Kind {
	case Section:
		inner := f.Path + "."
		if f.Path == "defaults" {
			inner = "probes[]."
		}
		s = object(fields, inner, f.Path)
	case Sections:
		inner := f.Path + "[]."
		if f.Path == "modules" {
			inner = "probes[]."
		}
		s = schema{"type": nullable(f, "array"), "minItems": f.Min, "items": object(fields, inner, f.Path)}
	case Named:
		s = schema{"type": nullable(f, "object"), "additionalProperties": object(fields, f.Path+".NAME.", f.Path)}
	case List:
		s = schema{"type": nullable(f, "array"), "items": schema{"type": "string"}, "maxItems": f.Max}
	case Map:
		// null takes a default away, so it has a meaning for the maps of probes.
		value := schema{"type": "string"}
		if strings.HasPrefix(prefix, "probes") {
			value["type"] = []string{"string", "null"}
		}
		s = schema{"type": nullable(f, "object"), "additionalProperties": value}
	case Values:
		s = schema{"type": nullable(f, "object"), "additionalProperties": schema{"type": []string{"string", "number", "boolean", "null"}}}
	case Choice:
		words := make([]any, 0, len(f.Allowed)+1)
		for _, word := range f.Allowed {
			words = append(words, word)
			if n, err := strconv.ParseFloat(word, 64); err == nil {
				words = append(words, n)
			}
		}
		s = orReference(schema{"enum": append(words, nil)})
	default:
		if s = scalarSchema(f); len(s) > 1 || f.Kind != Text {
			s = orReference(s)
		}
	}
	s["description"] = f.Doc
	if f.Default != "" {
		s["default"] = jsonDefault(f)
	}
	return s
}

// orReference adds to what a value can be that it can be substituted.
func orReference(s schema) schema {
	return schema{"anyOf": []schema{s, {"$ref": "#/$defs/reference"}}}
}

// scalarSchema describes a field of one value that is no choice.
func scalarSchema(f Field) schema {
	switch f.Kind {
	case Integer, Milliseconds:
		return schema{"type": nullable(f, "integer"), "minimum": f.Min, "maximum": f.Max}
	case Ratio:
		return schema{"type": nullable(f, "number"), "minimum": f.Min, "maximum": f.Max}
	case Bool:
		return schema{"type": nullable(f, "boolean")}
	case Size:
		return schema{"type": []string{"string", "integer", "null"}, "pattern": size.String(), "minimum": f.Min, "maximum": f.Max}
	case Duration:
		return schema{"type": nullable(f, "string"), "pattern": `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`}
	}
	s := schema{"type": nullable(f, "string")}
	if f.Pattern != "" {
		s["pattern"] = f.Pattern
	}
	if f.Min > 0 {
		s["minLength"] = f.Min
	}
	if f.Max > 0 {
		s["maxLength"] = f.Max
	}
	return s
}

func nullable(f Field, kind string) any {
	if f.Required {
		return kind
	}
	return []string{kind, "null"}
}

// jsonDefault returns the default as JSON has it.
func jsonDefault(f Field) any {
	switch f.Kind {
	case Integer, Milliseconds:
		n, _ := strconv.Atoi(f.Default)
		return n
	case Ratio:
		n, _ := strconv.ParseFloat(f.Default, 64)
		return n
	case Bool:
		return f.Default == "true"
	default:
		return f.Default
	}
}

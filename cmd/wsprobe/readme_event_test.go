package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// goldenEvent is a file with an event that a test of its encoding wrote.
func goldenEvent(name string) string {
	text, err := os.ReadFile("internal/event/testdata/" + name + ".golden")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(string(text), "\n")
}

// fenced is a block of code.
func fenced(language, text string) string { return "```" + language + "\n" + text + "\n```\n" }

// eventExample is a whole event.
func eventExample() string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(goldenEvent("event")), "", "  "); err != nil {
		return err.Error()
	}
	return fenced("json", out.String())
}

// eventEncodings are the same event in every encoding.
func eventEncodings() string {
	var all strings.Builder
	for _, codec := range shape.Codecs() {
		text := goldenEvent("example_" + codec)
		if codec == shape.OTLPJSON {
			var out bytes.Buffer
			if err := json.Indent(&out, []byte(text), "", " "); err == nil {
				text = out.String()
			}
		}
		all.WriteString(code(codec) + ":\n\n" + fenced("", text) + "\n")
	}
	return strings.TrimSuffix(all.String(), "\n")
}

// eventFieldTable is the table of the fields of an event.
func eventFieldTable() string {
	var rows [][]string
	for _, f := range shape.Fields() {
		kind := string(f.Type)
		if f.Always {
			kind += ", never null"
		}
		attribute := ""
		if f.Attribute != "" {
			attribute = code(f.Attribute)
		}
		rows = append(rows, []string{code(f.Name), kind, f.Doc, attribute})
	}
	return markdown([]string{"field", "type", "meaning", "attribute"}, rows)
}

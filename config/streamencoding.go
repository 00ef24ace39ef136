package config

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// staticProblem checks the name and the value of a field that every event has.
func staticProblem(name, value string) (nameProblem, valueProblem string) {
	if n := utf8.RuneCountInString(name); n > maxFieldName {
		nameProblem = fmt.Sprintf("must have a name of at most %d characters, got %d", maxFieldName, n)
	} else {
		nameProblem = printableProblem(name)
	}
	if n := utf8.RuneCountInString(value); n > maxLabelValue {
		valueProblem = fmt.Sprintf("must be at most %d characters, got %d", maxLabelValue, n)
	}
	return nameProblem, valueProblem
}

// renameProblem checks the new name of a field.
func renameProblem(_, to string) (nameProblem, valueProblem string) {
	if to == "" {
		return "", "must not be empty: except_fields leaves a field out"
	}
	_, valueProblem = staticProblem("", to)
	return "", valueProblem
}

// checkEncoding reports the fields that a codec lacks or has no use for.
func (r *streamReader) checkEncoding(e *Encoding) {
	if r.encoding.faultyKey("codec") {
		return
	}
	var found []finding
	switch has := r.encoding.setsKey("template"); {
	case e.Codec == shape.Text && !has && !r.encoding.faultyKey("template"):
		found = append(found, finding{key: "template", problem: `is required with codec text, for instance "{{probe}} is {{reason}}"`})
	case e.Codec != shape.Text && has:
		found = append(found, finding{key: "template", problem: "is not allowed with codec " + e.Codec + ": it is for text"})
	}
	csv := r.encoding.setsKey("csv")
	switch {
	case e.Codec != shape.CSV && csv:
		found = append(found, finding{key: "csv", problem: "is not allowed with codec " + e.Codec})
	case e.Codec == shape.CSV && len(e.CSVFields) == 0 && !r.encoding.faultyKey("csv") && !r.csv.faultyKey("fields"):
		found = append(found, finding{key: "csv", problem: "is required with codec csv, with fields: the columns"})
	}
	for _, key := range []string{"only_fields", "except_fields"} {
		if chosen := e.Codec == shape.CSV || e.Codec == shape.Text; chosen && r.encoding.setsKey(key) {
			found = append(found, finding{key: key, problem: "is not allowed with codec " + e.Codec + ", which names its fields itself"})
		}
	}
	r.encoding.reportAll(found)
	r.checkFields(e)
}

// withoutID returns the field of the encoding that leaves the id of an event out, or nothing.
func (r *streamReader) withoutID(e *Encoding) string {
	switch {
	case e.Codec == shape.CSV:
		if len(e.CSVFields) > 0 && !slices.Contains(e.CSVFields, shape.ID) {
			return "encoding.csv.fields"
		}
	case e.Codec == shape.Text:
		pieces, whole := shape.Pieces(e.Template)
		if whole && !slices.Contains(pieces, shape.Piece{Field: shape.ID}) && e.Template != "" {
			return "encoding.template"
		}
	case slices.Contains(e.ExceptFields, shape.ID):
		return "encoding.except_fields"
	default:
		if options := shape.Options(*e); !options.Selects(shape.ID) {
			return "encoding.only_fields"
		}
	}
	return ""
}

// advice for the words of other programs, by word.
var (
	codecWords = map[string]string{
		"ndjson": didYouMean("json_lines"), "jsonl": didYouMean("json_lines"), "json_stream": didYouMean("json_lines"), "native_json": didYouMean(shape.JSON),
		"otlp": didYouMean("otlp_protobuf"), "protobuf": didYouMean("otlp_protobuf"), "messagepack": didYouMean("msgpack"), "tsv": ", did you mean csv with delimiter \"\\t\"?",
		"raw_message": didYouMean(shape.Text), "raw": didYouMean(shape.Text), "plain": didYouMean(shape.Text), "template": didYouMean(shape.Text), "keyvalue": didYouMean("logfmt"),
		"gelf": otherCodec, "cef": otherCodec, "syslog": otherCodec, "avro": otherCodec, "native": otherCodec, "influx": otherCodec, "none": otherCodec,
	}
	timestampWords = map[string]string{
		"double": didYouMean("unix_float"), "epoch": didYouMean("unix"), "epoch_ms": didYouMean("unix_ms"), "epoch_us": didYouMean("unix_us"), "epoch_ns": didYouMean("unix_ns"),
		"iso8601": didYouMean("rfc3339"), "java_sql_timestamp": didYouMean("java_sql"), "milliseconds": didYouMean("unix_ms"), "seconds": didYouMean("unix"),
	}
	fullWords = map[string]string{
		"block": ": a probe never waits; use drop_newest", "overflow": ": there is one buffer; use type disk for a larger one",
		"drop": didYouMean(dropNewest), "discard": didYouMean(dropNewest), "ring": didYouMean(dropOldest),
	}
	healthWords = map[string]string{"warn": didYouMean(healthLog), "fail": didYouMean(healthRequire), "exit": didYouMean(healthRequire), "none": didYouMean(healthOff)}
)

const otherCodec = ": there is no such encoding; text with a template writes lines of any form"

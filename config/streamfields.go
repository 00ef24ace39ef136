package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// checkFields reports the faults of the names of fields in an encoding.
func (r *streamReader) checkFields(e *Encoding) {
	before := r.Count()
	for _, f := range shape.Options(*e).Validate() {
		other := f.Field == "CSVFields" && e.Codec != shape.CSV || f.Field == "Template" && (e.Codec != shape.Text || e.Template == "")
		if other || r.misnamed && slices.Contains([]string{"Rename", "Static", "DateKey"}, f.Field) {
			continue // reported already, or perhaps a consequence
		}
		if !r.reportName(&r.encoding, f) {
			r.reportName(&r.csv, f)
		}
	}
	if !r.misnamed && r.Count() == before {
		r.checkRest(e)
	}
}

// reportName reports a fault of an encoding at its place, and whether the field is one of this mapping.
func (r *streamReader) reportName(n *nested[Encoding], f shape.Fault) bool {
	i := slices.IndexFunc(n.section.fields, func(field field[Encoding]) bool { return field.spec == f.Field })
	if i < 0 {
		return false
	}
	key := n.section.fields[i].Key()
	p, where := n.set.pairs[i], n.setIn.Field(key)
	if !p.Present() || n.set.faulty[i] || n.set.faultyItems[[2]string{key, f.Key}] {
		return true
	}
	name := f.Key
	switch {
	case f.Key == "":
	case p.Value.Kind == yaml.SequenceNode:
		index, _ := strconv.Atoi(f.Key)
		element := yamltree.Follow(p.Value.Content[index])
		p, where, name = yamltree.Pair{Value: element, ValueAt: element}, where.Item(index), element.Value
	default:
		p, where, _ = r.Entry(p, f.Key, where.Name(f.Key))
		if f.Field == "Rename" && !shape.Known(f.Key) {
			p.Value, p.ValueAt = p.Key, p.KeyAt
		}
	}
	if !(r.Unknown(p.Value)) {
		r.Used(p.Value, p.ValueAt, where, "%s%s", f.Problem, r.fieldGuess(name))
	}
	return true
}

// fieldGuess ends a sentence about the name of a field with the one that was probably meant.
func (r *streamReader) fieldGuess(name string) string {
	if name == "" || shape.Known(name) {
		return ""
	}
	if meant := eventWords[bareKey.Replace(strings.ToLower(name))]; meant != "" {
		return didYouMean(meant)
	}
	if slices.ContainsFunc(r.config.Probes, func(p Probe) bool { _, is := p.Labels[name]; return is }) {
		return didYouMean(shape.Labels + "." + name)
	}
	inner, within := strings.CutPrefix(name, shape.Session+".")
	if !within {
		return didYouMean(suggest(name, shape.Names()))
	}
	var fields []string
	for _, known := range shape.Names() {
		if field, ok := strings.CutPrefix(known, shape.Session+"."); ok {
			fields = append(fields, field)
		}
	}
	if guess := suggest(inner, fields); guess != "" {
		return didYouMean(shape.Session + "." + guess)
	}
	return ""
}

// eventWords are the fields of an event by other names, written as in foreignFields.
var eventWords = map[string]string{
	"latency": "handshake_ms or round_trip_ms", "latencyms": "handshake_ms or round_trip_ms", "handshakelatency": "handshake_ms", "handshake": "handshake_ms",
	"roundtriplatency": "round_trip_ms", "roundtrip": "round_trip_ms", "rtt": "round_trip_ms", "duration": "value", "durationms": "value", "headline": "value",
	"message": "detail", "error": "error_type or detail", "errormessage": "detail", "cause": "session.cause", "success": "connection_success", "up": "connection_success",
	"name": "probe", "monitor": "probe", "endpoint": "url", "target": "url", "host": "url", "instance": "agent", "region": "location",
	"time": "timestamp", "ts": "timestamp", "date": "timestamp", "@timestamp": "timestamp", "datetime": "timestamp",
	"state": "status", "health": "status", "code": "close_code or http_status", "statuscode": "http_status", "tags": "labels", "type": "event", "kind": "event",
	"uuid": "id", "eventid": "id", "traceid": "trace_id",
}

// checkRest reports an encoding that leaves nothing, and warns of a new name for a field that is left out.
func (r *streamReader) checkRest(e *Encoding) {
	options := shape.Options(*e)
	if e.Codec == shape.CSV || e.Codec == shape.Text || len(e.OnlyFields)+len(e.ExceptFields) == 0 {
		return
	}
	if !slices.ContainsFunc(shape.Names(), options.Selects) {
		key := "except_fields"
		if !r.encoding.setsKey(key) {
			key = "only_fields"
		}
		r.encoding.reportAll([]finding{{key: key, problem: "must leave a field: there is none that is sent"}})
		return
	}
	rename := r.encoding.set.pairs[encodingSection.index["rename"]]
	for _, name := range slices.Sorted(maps.Keys(e.Rename)) {
		if !options.Selects(name) {
			p, at, _ := r.Entry(rename, name, r.encoding.setIn.Field("rename").Name(name))
			r.Warn(p.Value, p.ValueAt, at, "has no effect: only_fields or except_fields leave the field out")
		}
	}
}

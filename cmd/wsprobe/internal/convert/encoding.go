package convert

import (
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// The bounds of fields of a stream that are not those of a session.
const (
	minEvents       = 1
	maxEvents       = 100_000_000
	maxBatch        = 1000
	minBuffer       = 64 << 10
	maxBuffer       = 1 << 40
	maxLinger       = time.Minute
	maxDrain        = time.Minute
	maxWriteTimeout = 10 * time.Minute
)

// columns are those of csv where a file names none that there are.
var columns = []string{"id", "timestamp", "probe", "reason", "value", "unit"}

// plainTemplate is that of the codec text.
const plainTemplate = "{{timestamp}} {{probe}} {{reason}}"

// fieldList sets a list of fields. Those of other programs' events are left out.
func fieldList(ours string) func(*conversion, leaf) {
	return func(c *conversion, l leaf) {
		if ours == "encoding.csv.fields" && c.get("encoding.codec") != "csv" {
			c.leave(l, "belongs to the codec csv")
			return
		}
		if codec := c.get("encoding.codec"); ours != "encoding.csv.fields" && slices.Contains([]string{"csv", "text", "raw_message"}, codec) {
			c.leave(l, "csv and text name their fields themselves")
			return
		}
		var kept, left []string
		for _, name := range l.node.texts() {
			name = strings.TrimPrefix(name, ".")
			switch {
			case !shape.Known(name):
				left = append(left, name)
			case !slices.Contains(kept, name):
				kept = append(kept, name)
			}
		}
		if len(left) > 0 {
			c.note(l, "left out: an event has no "+strings.Join(left, ", "))
			c.left = append(c.left, l.path+" "+strings.Join(left, ", "))
		}
		if len(kept) > 0 {
			c.stream.set(ours, kept)
		}
	}
}

// codec sets encoding.codec, with a remark unless it is the same as in the file.
func (c *conversion) codec(l leaf, codec, remark string) {
	c.stream.set("encoding.codec", codec)
	if remark != "" {
		c.remark(l, "encoding.codec", remark)
	}
}

// vectorCodec sets encoding.codec.
func vectorCodec(c *conversion, l leaf) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	switch value {
	case "json", "logfmt":
		c.codec(l, value, "")
	case "csv":
		c.codec(l, value, "")
		c.columns(l)
	case "native_json":
		c.codec(l, "json", "was native_json: an event has the keys of wsprobe")
	case "otlp":
		c.codec(l, "otlp_protobuf", "was otlp: a message is an ExportLogsServiceRequest")
	case "text", "raw_message":
		c.codec(l, "text", "")
		c.stream.set("encoding.template", plainTemplate)
		c.remark(l, "encoding.template", "was "+value+", which is the field message of Vector")
	case "avro", "cef", "gelf", "native", "protobuf", "syslog":
		c.codec(l, "json", "was "+value+", which wsprobe does not write")
	default:
		if referring(value) {
			c.codec(l, value, "a codec of wsprobe")
			return
		}
		c.codec(l, "json", "was a codec that Vector does not document")
	}
}

// columns sees to it that csv has some.
func (c *conversion) columns(l leaf) {
	for _, name := range c.values["encoding.csv.fields"].texts() {
		if shape.Known(strings.TrimPrefix(name, ".")) {
			return
		}
	}
	c.stream.set("encoding.csv.fields", columns)
	c.remark(l, "encoding.csv.fields", "none of the columns of the file is in an event: choose")
}

// timestampFormats are those that Vector and wsprobe share.
var timestampFormats = []string{"rfc3339", "unix", "unix_ms", "unix_us", "unix_ns", "unix_float"}

// vectorTimestamps sets encoding.timestamp_format.
func vectorTimestamps(c *conversion, l leaf) {
	switch value, ok := c.text(l); {
	case !ok:
	case slices.Contains(timestampFormats, value), referring(value):
		c.stream.set("encoding.timestamp_format", value)
	default:
		c.leave(l, "must be one of "+strings.Join(timestampFormats, ", "))
	}
}

package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// textOnly wants a text, which is used later.
func textOnly(c *conversion, l leaf) { c.text(l) }

// fluentBitPort wants a port, which is used later.
func fluentBitPort(c *conversion, l leaf) {
	value, ok := c.text(l)
	if _, err := strconv.ParseUint(value, 10, 16); ok && err != nil && !referring(value) {
		c.leave(l, "must be a number of a port")
		delete(c.values, l.path)
	}
}

// fluentBitCodec sets encoding.codec.
func fluentBitCodec(c *conversion, l leaf) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	switch strings.ToLower(value) {
	case "json":
		c.codec(l, "json", "a message is an array of events, because batch.max_events is more than 1")
	case "json_lines":
		c.codec(l, "json_lines", "")
	case "json_stream":
		c.codec(l, "json_lines", "was json_stream: here a line break is between two events")
	case "msgpack":
		c.codec(l, "msgpack", "an array of maps, in binary messages")
	case "gelf":
		c.codec(l, "json", "was gelf, which wsprobe does not write")
	case "otlp_json":
		c.codec(l, "otlp_json", "a message is an ExportLogsServiceRequest")
	default:
		if referring(value) {
			c.codec(l, value, "a codec of wsprobe")
			return
		}
		c.codec(l, "msgpack", "was a format that Fluent Bit does not document")
	}
}

// fluentBitDateKey sets encoding.date_key.
func fluentBitDateKey(c *conversion, l leaf) {
	switch value, ok := c.text(l); {
	case !ok:
	case strings.EqualFold(value, "false"):
		c.stream.set("encoding.except_fields", []string{"timestamp"})
	case value == "":
		c.leave(l, "must be a name")
	case shape.Known(plain(value)) && value != shape.Timestamp:
		c.leave(l, "an event has a field of this name")
	default:
		c.stream.set("encoding.date_key", value)
	}
}

// dates are the formats of a date.
var dates = map[string]string{
	"double": "unix_float", "epoch": "unix", "epoch_ms": "unix_ms", "epoch_ms_double": "unix_ms",
	"iso8601": "rfc3339", "iso8601ns": "rfc3339", "java_sql_timestamp": "java_sql",
}

// fluentBitDates sets encoding.timestamp_format.
func fluentBitDates(c *conversion, l leaf) {
	value, ok := c.text(l)
	format, known := dates[strings.ToLower(value)]
	switch {
	case !ok:
	case known:
		c.stream.set("encoding.timestamp_format", format)
	case referring(value):
		c.stream.set("encoding.timestamp_format", value)
		c.remark(l, "encoding.timestamp_format", "a format of wsprobe")
	default:
		c.leave(l, "must be one of double, epoch, epoch_ms, iso8601, java_sql_timestamp")
	}
}

// ownHeaders are those that the handshake sets itself, and those of another kind of request.
var ownHeaders = regexp.MustCompile(`(?i)^(sec-websocket-.*|connection|upgrade|proxy-.*|content-length|transfer-encoding|te|trailer|keep-alive|expect|http2-settings)$`)

// sensitive matches the name of a header that holds a secret.
var sensitive = regexp.MustCompile(`(?i)(auth|token|key|secret|cookie|password|credential|signature)`)

// fluentBitHeader sets a header, or several of a list.
func fluentBitHeader(c *conversion, l leaf) {
	for _, text := range l.node.texts() {
		one := l
		one.node = &node{line: l.line, text: text}
		translated, _ := c.text(one)
		if at := strings.IndexAny(translated, " \t"); at > 0 {
			c.header(l, translated[:at], strings.TrimSpace(translated[at:]))
		} else {
			c.leave(l, "must be a name and a value")
		}
	}
}

// header sets a header, or what a stream has in its place.
func (c *conversion) header(l leaf, name, value string) {
	switch {
	case strings.EqualFold(name, "Sec-WebSocket-Protocol"):
		c.stream.set("protocols", strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }))
	case ownHeaders.MatchString(name):
		c.leave(l, name+" is set by the handshake, or is about the body of another kind of request")
	case sensitive.MatchString(name):
		c.secret(l, "headers/"+name, value)
	default:
		c.stream.set("headers/"+name, value)
	}
}

// fluentBitStorage makes a buffer on disk.
func fluentBitStorage(c *conversion, l leaf) {
	c.size(l, "buffer.max_size", sizes, minBuffer, maxBuffer)
	if c.stream.lookup("buffer.max_size") != nil {
		c.disk(l, "Fluent Bit has it below its storage.path")
	}
}

// tlsMinVersion sets tls.min_version: TLSv1.2 and TLS12 are 1.2.
func tlsMinVersion(c *conversion, l leaf) {
	value, ok := c.text(l)
	version := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(value), "tls"), "v")
	if len(version) <= 2 && strings.HasPrefix(version, "1") {
		version = "1." + (version + "0")[1:2]
	}
	switch {
	case !ok:
	case !c.secure:
		c.leave(l, noTLS)
	case slices.Contains([]string{"1.0", "1.1", "1.2", "1.3"}, version), referring(value):
		c.stream.set("tls.min_version", version)
	default:
		c.leave(l, "must be a version from 1.0 to 1.3")
	}
}

// connectTimeout sets timeout_ms.
func connectTimeout(c *conversion, l leaf) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	if referring(value) {
		c.leave(l, "a variable holds it: set timeout_ms by hand")
		return
	}
	d, ok := duration(value, times)
	if !ok {
		c.leave(l, "must be a time")
		return
	}
	const least, most = 100 * time.Millisecond, 30 * time.Second
	bounded := min(max(d, least), most)
	c.stream.set("timeout_ms", int(bounded.Milliseconds()))
	if bounded != d {
		c.remark(l, "timeout_ms", "was "+shortDuration(d)+": wsprobe takes 100 to 30000")
	}
}

// fluentBitWriteTimeout sets write_timeout.
func fluentBitWriteTimeout(c *conversion, l leaf) {
	if d, ok := duration(c.get(l.path), times); ok && d == 0 {
		return // no bound there, the default here
	}
	c.period(l, "write_timeout", times, session.MinInterval, maxWriteTimeout)
}

// fluentBitProxy sets proxy_url.
func fluentBitProxy(c *conversion, l leaf) {
	if is, ok := c.truth(l); ok && is {
		c.stream.set("proxy_url", "")
	}
}

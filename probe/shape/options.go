package shape

// Options say how an event is written.
type Options struct {
	Codec           string // one of Codecs; empty means JSON
	OnlyFields      []string
	ExceptFields    []string
	Rename          map[string]string // the new names of fields by the old ones
	Static          map[string]string // further fields
	TimestampFormat string            // one of TimestampFormats; empty means RFC3339
	DateKey         string            // the name of the field timestamp; empty means timestamp
	CSVFields       []string          // the columns of csv; empty means every field
	CSVHeader       bool              // whether each message of csv begins with their names
	CSVDelimiter    string            // one character; empty means a comma
	Template        string            // of text
}

// The codecs.
const (
	JSON         = "json"
	JSONLines    = "json_lines"
	Msgpack      = "msgpack"
	Logfmt       = "logfmt"
	CSV          = "csv"
	Text         = "text"
	OTLPJSON     = "otlp_json"
	OTLPProtobuf = "otlp_protobuf"
)

// Codecs returns the values of Options.Codec.
func Codecs() []string {
	return []string{JSON, JSONLines, Msgpack, Logfmt, CSV, Text, OTLPJSON, OTLPProtobuf}
}

// The formats of times.
const (
	RFC3339   = "rfc3339"    // in UTC, with up to nine digits behind the second: 2026-01-02T15:04:05.123456789Z
	Unix      = "unix"       // whole seconds since 1970
	UnixMS    = "unix_ms"    // whole milliseconds
	UnixUS    = "unix_us"    // whole microseconds
	UnixNS    = "unix_ns"    // whole nanoseconds; a time after the year 2262 is the greatest number of 64 bits
	UnixFloat = "unix_float" // seconds with microseconds behind the point
	JavaSQL   = "java_sql"   // in UTC: 2026-01-02 15:04:05.123456
)

// TimestampFormats returns the values of Options.TimestampFormat.
func TimestampFormats() []string {
	return []string{RFC3339, Unix, UnixMS, UnixUS, UnixNS, UnixFloat, JavaSQL}
}

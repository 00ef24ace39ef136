package shape

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is something wrong in Options.
type Fault struct {
	Field   string // of Options
	Key     string // the index in a list, or the name in a map; else empty
	Problem string // begins with a verb: "must ..."
}

// Error returns the fault as one sentence.
func (f Fault) Error() string {
	place := f.Field
	if f.Key != "" {
		place += "[" + f.Key + "]"
	}
	return place + " " + f.Problem
}

// Validate returns everything that is wrong in the Options.
func (o Options) Validate() []Fault {
	c := check{o: o}
	c.choices()
	c.names("OnlyFields", o.OnlyFields, Known)
	c.names("ExceptFields", o.ExceptFields, Known)
	for _, old := range slices.Sorted(maps.Keys(o.Rename)) {
		if strings.Contains(old, ".") || !Known(old) {
			c.add("Rename", old, "must be a field of the first level of an event")
		}
	}
	c.unique()
	c.columns()
	c.template()
	return c.faults
}

// check collects faults.
type check struct {
	o      Options
	faults []Fault
}

func (c *check) add(field, key, problem string) {
	c.faults = append(c.faults, Fault{field, key, problem})
}

func (c *check) choices() {
	if codec := c.o.Codec; codec != "" && !slices.Contains(Codecs(), codec) {
		c.add("Codec", "", "must be one of "+strings.Join(Codecs(), ", "))
	}
	if format := c.o.TimestampFormat; format != "" && !slices.Contains(TimestampFormats(), format) {
		c.add("TimestampFormat", "", "must be one of "+strings.Join(TimestampFormats(), ", "))
	}
	delimiter, size := utf8.DecodeRuneInString(c.o.CSVDelimiter)
	if c.o.CSVDelimiter != "" && (size != len(c.o.CSVDelimiter) || delimiter == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", delimiter)) {
		c.add("CSVDelimiter", "", "must be one character, and no quote or line end")
	}
}

// names checks the names of fields in a list.
func (c *check) names(field string, names []string, known func(string) bool) {
	for i, name := range names {
		if !known(name) {
			c.add(field, strconv.Itoa(i), "must be a field of an event, got "+strconv.Quote(name))
		}
	}
}

// taken returns the names that fields have without renaming, each with its field. In OTLP these are keys of attributes.
func (c *check) taken() map[string]string {
	taken := make(map[string]string)
	otlp := c.o.Codec == OTLPJSON || c.o.Codec == OTLPProtobuf
	for _, f := range Fields() {
		_, renamed := c.o.Rename[f.Name]
		switch within := strings.Contains(f.Name, "."); {
		case renamed || !c.o.Selects(f.Name):
		case otlp && f.Attribute != "":
			taken[f.Attribute] = f.Name
		case !otlp && !within:
			taken[f.Name] = f.Name
		}
	}
	return taken
}

// unique checks that every field has a name of its own.
func (c *check) unique() {
	taken := c.taken()
	give := func(field, key, owner, name string) {
		switch other, twice := taken[name]; {
		case name == "" || !utf8.ValidString(name):
			c.add(field, key, "must be a name in UTF-8")
		case twice:
			c.add(field, key, "must leave each field a name of its own: "+other+" is named "+strconv.Quote(name)+", too")
		default:
			taken[name] = owner
		}
	}
	if key := c.o.DateKey; key != "" && key != Timestamp && c.o.Selects(Timestamp) {
		if c.o.Rename[Timestamp] != "" {
			c.add("Rename", Timestamp, "must not stand beside date_key, which renames the same field")
		} else {
			delete(taken, Timestamp) // the name that the field has no more
			give("DateKey", "", Timestamp, key)
		}
	}
	for _, old := range slices.Sorted(maps.Keys(c.o.Rename)) {
		if c.o.Selects(old) {
			give("Rename", old, old, c.o.Rename[old])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.o.Static)) {
		give("Static", name, name, name)
	}
}

// written reports whether csv and text can have the field.
func (c *check) written(name string) bool {
	if _, static := c.o.Static[name]; static {
		return true
	}
	return Known(name) && c.o.Selects(name)
}

// problem says why csv or text cannot have the field.
func (c *check) problem(name string) string {
	if Known(name) {
		return "must not be a field that only_fields or except_fields leave out, got " + strconv.Quote(name)
	}
	return "must be a field of an event or of static, got " + strconv.Quote(name)
}

func (c *check) columns() {
	for i, name := range c.o.CSVFields {
		switch {
		case !c.written(name):
			c.add("CSVFields", strconv.Itoa(i), c.problem(name))
		case slices.Contains(c.o.CSVFields[:i], name):
			c.add("CSVFields", strconv.Itoa(i), "must not repeat a field, got "+strconv.Quote(name))
		}
	}
}

func (c *check) template() {
	if c.o.Template == "" {
		if cmp.Or(c.o.Codec, JSON) == Text {
			c.add("Template", "", "must be there with the codec text")
		}
		return
	}
	pieces, ok := Pieces(c.o.Template)
	if !ok || !utf8.ValidString(c.o.Template) {
		c.add("Template", "", "must be UTF-8, with the name of a field in each {{ }}")
		return
	}
	replays := 0
	for _, p := range pieces {
		if p.Field == Replay {
			replays++
		}
		if p.Field != "" && !c.written(p.Field) {
			c.add("Template", "", c.problem(p.Field))
		}
	}
	if replays > 1 {
		c.add("Template", "", "must not repeat {{replay}}")
	}
}

package metrics

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MarshalJSON returns the observation, which must have a Probe, as one object with all keys of [Fields], in the order
// of the table. A fact that is not known is null.
func (o Observation) MarshalJSON() ([]byte, error) { return marshal(fields, &o) }

// MarshalJSON returns the facts of a session as one object with all keys of [SessionFields], in the order of the table.
// A fact that is not known is null.
func (s Session) MarshalJSON() ([]byte, error) {
	return marshal(sessionFields, &Observation{Session: &s})
}

func marshal(table []Field, o *Observation) ([]byte, error) {
	var out bytes.Buffer
	values := json.NewEncoder(&out)
	values.SetEscapeHTML(false) // the encoder that calls this method escapes if it is to
	separator := byte('{')
	for i := range table {
		f := &table[i]
		if f.Key == "" {
			continue
		}
		out.WriteByte(separator)
		separator = ','
		out.WriteString(`"` + f.Key + `":`)
		v, known := f.Value(o)
		if !known {
			out.WriteString("null")
			continue
		}
		if err := values.Encode(v.Any()); err != nil {
			return nil, fmt.Errorf("encoding %s: %w", f.Key, err)
		}
		out.Truncate(out.Len() - 1) // the newline that Encode ends with
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

package prometheus

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Labels are the labels of a point as text. They are used again for the next point, so that many take next to no
// memory.
type Labels struct {
	Common []metrics.Attribute // of every point; they replace others by the same name

	names  map[string]string // of attributes by their keys
	labels map[string]string // of labels of probes by their names
	pairs  []pair            // sorted by name
	text   []byte

	messages bool                // the text is messages of protobuf
	of       *metrics.Identity   // the last probe
	own      []pair              // its labels
	appended []metrics.Attribute // memory
}

// pair is a label. Its value is an attribute's.
type pair struct {
	name  string
	value slog.Value
	more  []string // further values, of attributes with another key whose name is the same
}

// Set makes these attributes the labels.
func (l *Labels) Set(attributes []metrics.Attribute) {
	l.pairs = l.pairs[:0]
	for _, a := range attributes {
		l.add(attributeName(&l.names, a.Key), a.Value)
	}
	l.complete()
}

// SetProbe makes the attributes of a series of a probe the labels. Labels of the probe have names that mean nothing else
// to Prometheus. It remembers the last probe.
func (l *Labels) SetProbe(id *metrics.Identity, v metrics.Variant) {
	if l.of != id {
		l.of, l.pairs = id, l.pairs[:0]
		l.appended = id.Append(l.appended[:0])
		labels := len(l.appended) - len(metrics.ProbeKeys())
		for i, a := range l.appended {
			name := ""
			if i < labels {
				name = labelName(&l.labels, a.Key)
			} else {
				name = attributeName(&l.names, a.Key)
			}
			l.add(name, a.Value)
		}
		l.own = append(l.own[:0], l.pairs...)
	}
	l.pairs = append(l.pairs[:0], l.own...)
	l.appended = v.Append(l.appended[:0])
	for _, a := range l.appended {
		l.add(attributeName(&l.names, a.Key), a.Value)
	}
	l.complete()
}

// attributeName is the name of an attribute, empty if it has none. The map has those that were asked for before.
func attributeName(known *map[string]string, key string) string {
	return remembered(known, key, func() string {
		var namer otlptranslator.LabelNamer
		name, err := namer.Build(key)
		if err != nil {
			return "" // a name without a letter has none in Prometheus
		}
		return name
	})
}

// labelName is attributeName for a label of a probe.
func labelName(known *map[string]string, key string) string {
	return remembered(known, key, func() string { return attributeName(new(map[string]string), Label(key)) })
}

// remembered is what is known of a key, or else what is found out.
func remembered(known *map[string]string, key string, find func() string) string {
	name, there := (*known)[key]
	if !there {
		if *known == nil {
			*known = make(map[string]string)
		}
		name = find()
		(*known)[key] = name
	}
	return name
}

// add adds a label in its place. As OpenTelemetry says, names that become one have their values joined.
func (l *Labels) add(name string, value slog.Value) {
	if name == "" {
		return
	}
	i := l.place(name)
	if i > 0 && l.pairs[i-1].name == name {
		same := &l.pairs[i-1]
		same.more = append(slices.Clip(same.more), value.String())
		return
	}
	l.pairs = slices.Insert(l.pairs, i, pair{name: name, value: value})
}

// place is the index behind all names up to this one.
func (l *Labels) place(name string) int {
	i := len(l.pairs)
	for i > 0 && l.pairs[i-1].name > name {
		i--
	}
	return i
}

// complete adds what every point has, and makes the text.
func (l *Labels) complete() {
	for _, a := range l.Common {
		name := attributeName(&l.names, a.Key)
		i := l.place(name)
		if i > 0 && l.pairs[i-1].name == name {
			l.pairs[i-1] = pair{name: name, value: a.Value}
		} else {
			l.pairs = slices.Insert(l.pairs, i, pair{name: name, value: a.Value})
		}
	}
	l.write()
}

func (l *Labels) write() {
	l.text = l.text[:0]
	for i := range l.pairs {
		p := &l.pairs[i]
		whole := p.value.Kind() == slog.KindInt64 && p.more == nil
		if l.messages {
			if whole {
				var text [20]byte
				l.text = appendPair(l.text, p.name, strconv.AppendInt(text[:0], p.value.Int64(), 10))
			} else {
				l.text = appendPair(l.text, p.name, p.joined())
			}
			continue
		}
		if i > 0 {
			l.text = append(l.text, ',')
		}
		l.text = append(append(l.text, p.name...), `="`...)
		if whole {
			l.text = strconv.AppendInt(l.text, p.value.Int64(), 10)
		} else {
			l.text = appendEscaped(l.text, p.joined(), true)
		}
		l.text = append(l.text, '"')
	}
}

// joined is the value of a label.
func (p *pair) joined() string {
	if p.more == nil {
		return p.value.String()
	}
	all := append(slices.Clip(p.more), p.value.String())
	slices.Sort(all)
	return strings.Join(all, ";")
}

// Label keeps a label of a probe apart from labels that have a meaning: le is that of a bucket, and what the dots of our
// own attributes become is theirs.
func Label(name string) string {
	plain := strings.NewReplacer(".", "_", "-", "_")
	own := func(key string) bool { return plain.Replace(key) == plain.Replace(name) }
	if name == "le" || slices.ContainsFunc(metrics.ProbeKeys(), own) || slices.ContainsFunc(metrics.VariantKeys(), own) {
		return "exported_" + name
	}
	return name
}

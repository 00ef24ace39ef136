package event

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// BenchmarkEncode is the cost of an event of a run for the probe that has it, per stream.
func BenchmarkEncode(b *testing.B) {
	for _, codec := range shape.Codecs() {
		b.Run(codec, func(b *testing.B) {
			e := encoder(b, agent(shape.Options{Codec: codec, Template: "{{probe}} is {{reason}}: {{value}} {{unit}}"}))
			ev := ran()
			b.ReportAllocs()
			var form Form
			for b.Loop() {
				form = e.Encode(ev)
			}
			b.ReportMetric(float64(len(form.Text)), "B/event")
		})
	}
}

// BenchmarkJoin is the cost of a message of 100 events.
func BenchmarkJoin(b *testing.B) {
	for _, codec := range []string{shape.JSON, shape.OTLPProtobuf} {
		b.Run(codec, func(b *testing.B) {
			e := encoder(b, agent(shape.Options{Codec: codec}))
			form := e.Encode(ran())
			parts := make([]Part, 100)
			for i := range parts {
				parts[i] = Part{Text: form.Text, Slot: form.Slot}
			}
			b.ReportAllocs()
			var message []byte
			for b.Loop() {
				message = Join(message[:0], e.Name(), parts)
			}
		})
	}
}

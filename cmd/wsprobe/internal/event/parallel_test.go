package event

import (
	"bytes"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// TestManyProbesOneEncoder: probes encode at the same time, and no text has anything of another.
func TestManyProbesOneEncoder(t *testing.T) {
	for _, codec := range shape.Codecs() {
		e := encoder(t, agent(shape.Options{Codec: codec, Template: "{{id}} {{labels}} {{detail}}"}))
		var all sync.WaitGroup
		for _, ev := range samples() {
			want := e.Encode(ev).Text
			all.Go(func() {
				for range 100 {
					if got := e.Encode(ev).Text; !bytes.Equal(got, want) {
						t.Errorf("%s: %q, want %q", codec, got, want)
						return
					}
				}
			})
		}
		all.Wait()
	}
}

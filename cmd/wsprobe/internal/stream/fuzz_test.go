package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
)

// FuzzProof: whatever is written, answered and acknowledged in whatever order, each event is proven at most once, only by
// what proves it, and the sums of what flies are right.
func FuzzProof(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 0, 1, 2}, true)
	f.Add([]byte{0, 0, 1, 0, 1, 2, 0, 1, 2, 2, 3, 5, 9, 13, 17}, false)
	f.Fuzz(func(t *testing.T, steps []byte, pongs bool) {
		how := Message
		if pongs {
			how = Pong
		}
		now := time.Now()
		proven := make(map[string]bool)
		behind := make(map[string]int) // how many events were written when a Ping with this payload was sent
		var ids []string
		proving := "" // the payload of the Pong that is being given
		p := newProof(&Options{Acknowledgements: how, PingInterval: sec, PingTimeout: time.Hour}, newWindow(), func(items ...*buffer.Item) {
			for _, item := range items {
				var number int
				_, _ = fmt.Sscan(item.ID, &number)
				if proven[item.ID] || pongs && number >= behind[proving] {
					t.Fatalf("%s by %q", item.ID, proving)
				}
				proven[item.ID] = true
			}
		}, now)
		var pings []string
		written := 0
		for _, step := range steps {
			now = now.Add(time.Duration(step) * ms)
			switch argument := int(step / 8); step % 8 {
			case 0, 1, 2: // take off
				var items []*buffer.Item
				for range argument%4 + 1 {
					items = append(items, &buffer.Item{ID: fmt.Sprint(len(ids)), Text: make([]byte, argument)})
					ids = append(ids, items[len(items)-1].ID)
				}
				p.flying(items, now)
			case 3, 4: // and are written
				written = len(ids)
				if ping := p.written(now); ping != "" {
					pings, behind[ping] = append(pings, ping), written
				}
			case 5:
				if d := p.due(now); d.ping != "" {
					pings, behind[d.ping] = append(pings, d.ping), written
				}
			case 6:
				if len(pings) > 0 {
					proving = pings[argument%len(pings)]
					p.ponged(proving, now)
				}
			case 7:
				if len(ids) > 0 {
					p.acknowledged([]byte(ids[argument%len(ids)]+" x "+ids[argument*7%len(ids)]), now)
				}
			}
			open, bytes := 0, int64(0)
			for _, item := range p.unproven() {
				if open, bytes = open+1, bytes+int64(len(item.Text)); proven[item.ID] {
					t.Fatalf("%s flies still", item.ID)
				}
			}
			if open != p.open || bytes != p.bytes || open+len(proven) != len(ids) || how == Message && len(p.byID) != open {
				t.Fatalf("%d of %d fly, %d of %d bytes, %d of %d are proven", p.open, open, p.bytes, bytes, len(proven), len(ids))
			}
		}
	})
}

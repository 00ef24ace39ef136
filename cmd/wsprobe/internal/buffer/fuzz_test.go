package buffer

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// FuzzBuffer uses a Buffer at random, as TestModel does.
func FuzzBuffer(f *testing.F) {
	for kind := range byte(4) {
		f.Add(uint64(kind), uint16(200), kind)
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16, kind byte) {
		dir := ""
		if kind&1 != 0 {
			dir = filepath.Join(t.TempDir(), "spool")
		}
		live(t, dir, kind&2 != 0, seed, int(steps)%500)
	})
}

// FuzzBlock holds that the content of any block is read without a panic, and that what is written is read.
func FuzzBlock(f *testing.F) {
	f.Add([]byte{format}, "id", "lane", "json", []byte("text"), int64(1), 7, 2)
	f.Add([]byte{format, 1, 1, 'a', 1, 1, 'b', 0, 0, 0, 0, 0, 0, 0}, "", "", "", []byte(nil), int64(-1), -1, 0)
	f.Fuzz(func(t *testing.T, content []byte, id, lane, encoding string, text []byte, at int64, slot, sends int) {
		if records, err := decode(content, len(content)/7); err == nil && len(records) != len(content)/7 {
			t.Errorf("%d records of %d", len(records), len(content)/7)
		}
		_, _ = decodeMarks(content)
		slot, sends = int(int16(slot))&0x7fff-1, int(int16(sends))&0x7fff
		items := []*Item{{ID: id, Lane: lane, At: time.Unix(0, at), Encoding: encoding, Text: text, Slot: slot}, {ID: lane, Lane: id}}
		records, err := decode(encode(items, []int{sends, 0}), 2)
		if err != nil {
			t.Fatal(err)
		}
		got := records[0].item()
		want := Item{ID: id, Lane: lane, At: time.Unix(0, at), Encoding: encoding, Text: append([]byte(nil), text...), Slot: slot, Sends: sends, added: longAgo}
		if !reflect.DeepEqual(*got, want) || records[1].item().ID != lane {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// loadParts reads texts as files named so, and parses so many bytes of probes at a time.
func loadParts(batch int, keeps bool, texts ...[]byte) (*loading, Config, error) {
	l := newLoading(false)
	l.batch, l.keeps = batch, keeps
	var files []file
	for i, text := range texts {
		files = append(files, file{name: string(rune('a'+i)) + ".yaml", given: true, data: text})
	}
	config, err := l.load(files)
	return l, config, err
}

// checkParts wants that a configuration is the same however its files are parsed.
func checkParts(t *testing.T, texts ...[]byte) {
	t.Helper()
	_, want, wantErr := loadParts(0, false, texts...)
	wantPlain, wantSaid := plain(want)
	slices.Sort(wantPlain.Files)
	for _, batch := range []int{1, 200, batchBytes} {
		for _, keeps := range []bool{false, true} {
			_, got, err := loadParts(batch, keeps, texts...)
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Errorf("batches of %d: got %v\nwant %v", batch, err, wantErr)
			}
			var faults, wantFaults *Error
			if errors.As(err, &faults) && errors.As(wantErr, &wantFaults) && !slices.Equal(sorted(faults.Files), sorted(wantFaults.Files)) {
				t.Errorf("batches of %d: files %q, want %q", batch, faults.Files, wantFaults.Files)
			}
			gotPlain, gotSaid := plain(got)
			slices.Sort(gotPlain.Files)
			if !reflect.DeepEqual(gotPlain, wantPlain) || !slices.Equal(gotSaid, wantSaid) {
				t.Errorf("batches of %d: %s", batch, difference(gotPlain, wantPlain, gotSaid, wantSaid))
			}
		}
	}
}

// difference names what differs first.
func difference(got, want Config, gotSaid, wantSaid []string) string {
	if !slices.Equal(gotSaid, wantSaid) {
		return fmt.Sprintf("got %q, want %q", gotSaid, wantSaid)
	}
	for i := range got.Probes {
		if i < len(want.Probes) && !reflect.DeepEqual(got.Probes[i], want.Probes[i]) {
			return fmt.Sprintf("got %+v\nwant %+v", got.Probes[i], want.Probes[i])
		}
	}
	return fmt.Sprintf("got %+v\nwant %+v", got, want)
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// corpus returns the texts of the corpora, whose names in files of theirs hold in the folder of this test.
func corpus(t testing.TB) map[string][]byte {
	texts := make(map[string][]byte)
	for _, pattern := range []string{"testdata/good/*", "testdata/bad/*.yaml", "testdata/warn/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil {
				texts[name] = data
			}
		}
	}
	return texts
}

// partsBase has items of each kind that a list of probes can be cut at.
const partsBase = `x-base: &base {interval: 30s, labels: &labels {team: chat, token: "${env:TOKEN}"}}
agent: {listen: ""}
probes:   # all of them
  # a comment before the first
  - name: a
    url: wss://a.example.com/?q=1*2
    <<: *base
  - {name: b, url: "ws://b.example.com/${env:TOKEN}", labels: {pod: b-1}, enabled: false}

  - name: c
    url: wss://c.example.com/
    labels: *labels
# a comment at the margin
  - {name: d, url: wss://d.example.com/,
     labels: {a: b}}
  -
    name: e
    url: wss://e.example.com/
    interpretation: round_trip_latency
    send_message: |+
      - name: x
        url: y

  - name: "f-${env:TOKEN}"
    url: wss://f.example.com/
    headers: {Authorization: "${env:TOKEN}"}
streams:
  - {url: "wss://events.example.com/"}
`

// TestParts: what is plain is parsed in parts, and what is not is parsed whole. Either way, the outcome is the same.
func TestParts(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "s3cret")
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(partsBase) }
	const list = "probes:\n- name: a\n  url: wss://a/\n- name: b\n  url: wss://b/\n"
	for _, test := range []struct {
		name, text string
		parts      bool
	}{
		{"as it is", partsBase, true},
		{"other line breaks", replace("\n", "\r\n"), true},
		{"old line breaks", replace("\n", "\r"), false},
		{"a byte order mark", "\ufeff" + partsBase, true},
		{"a byte order mark within", replace("  - name: c", "\ufeff  - name: c"), false},
		{"a separator of lines", replace("chat", "ch\u2028at"), false},
		{"at the margin", list, true},
		{"no end of the last line", strings.TrimSpace(list), true},
		{"a null item", list + "-\n- name: c\n  url: wss://c/\n", true},
		{"a wrong item", list + "- x\n", true},
		{"wrong fields", replace("labels:", "lables:", "interval: 30s", "interval: 30"), true},
		{"a name twice", replace("name: c", "name: a"), true},
		{"a reference that leads nowhere", replace("b.example.com/${env:TOKEN}", "b.example.com/${env:NONE}"), true},
		{"an open quote", replace("name: c", `name: "c`), false},
		{"a quote over two items", replace("url: wss://c.example.com/", `url: "wss://c.example.com/`, "- name: \"f-${env:TOKEN}\"", "- name: x\""), false},
		{"an open bracket", replace("labels: {pod: b-1}", "labels: {pod: b-1"), false},
		{"a fault of syntax at the end", partsBase + "otlp: {\n", false},
		{"a control character in an item", replace("name: c", "name: c\x01"), false},
		{"an item in a line at the margin", list + "  - {name: c,\n url: wss://c/}\n", false},
		{"an anchor in an item, an alias in it", replace("labels: {pod: b-1}", "labels: {pod: &b b-1, other: *b}"), true},
		{"an anchor in an item, an alias in another", replace("labels: {pod: b-1}", "labels: &b {pod: b-1}", "labels: *labels", "labels: *b"), false},
		{"an anchor again in an item", replace("labels: {pod: b-1}", "labels: &labels {pod: b-1}"), false},
		{"an alias behind an anchor again", "x-a: &a {}\nprobes:\n- &a {name: a, url: wss://a/}\nstreams: [*a]\n", false},
		{"an alias to the list", "x-a: &a\n  b: c\n" + list + "x-b: *a\n", true},
		{"an anchor of the list", strings.Replace(list, "probes:", "probes: &a", 1), false},
		{"an anchor of the root", "--- &a\n" + list, false},
		{"a directive", "%YAML 1.1\n---\n" + list, false},
		{"a tag of the list", strings.Replace(list, "probes:", "probes: !!seq", 1), false},
		{"a tag in an item", strings.Replace(list, "wss://a/", "!!str wss://a/", 1), true},
		{"the list twice", list + "probes: []\n", false},
		{"another list before", "probes: []\n" + list, false},
		{"a second document", list + "---\nprobes: []\n", false},
		{"an end of the document", list + "...\n", false},
		{"a list in brackets", "probes: [{name: a, url: 'wss://a/'}]\n", false},
		{"a mapping in brackets", "{\n" + list + "}\n", false},
		{"a key that is none", list + "? [a]\n: b\n", false},
		{"a merge at the top", "x-a: &a {agent: {listen: ''}}\n<<: *a\n" + list, true},
		{"an alias for the key", "x-a: &a probes\n*a : []\n" + list, false},
		{"nothing but a list", "- a\n- b\n", false},
		{"too many anchors", "x-a: [" + strings.Repeat("&a x, ", 9) + anchors(mostOutside+1) + "]\n" + list, false},
		{"many anchors", "x-a: [" + anchors(mostOutside) + "]\n" + strings.Replace(list, "name: a", "name: *a7", 1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkParts(t, []byte(test.text))
			if l, _, _ := loadParts(1, false, []byte(test.text)); len(l.cuts) == 1 != test.parts {
				t.Errorf("parsed in parts: %t, want %t", len(l.cuts) == 1, test.parts)
			}
		})
	}
}

// mostOutside is how many anchors outside the items of a file that is parsed in parts.
const mostOutside = 64

// anchors returns texts with the anchors a0, a1 and so on.
func anchors(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&a" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + " x, ")
	}
	return strings.ReplaceAll(b.String(), "&a07", "&a7")
}

// TestPartsOfSeveral: each of several files is parsed as it can be, and their lines do not mix.
func TestPartsOfSeveral(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "s3cret")
	const other = "defaults: {labels: {a: b}}\nprobes:\n- name: a\n  url: wss://g/\n- &n {name: h, url: wss://h/}\n- *n\n"
	checkParts(t, []byte(partsBase), []byte(other))
	checkParts(t, []byte(other), []byte(partsBase), []byte("probes: [{name: h, url: x}]\n"))
	if l, _, _ := loadParts(1, false, []byte(partsBase), []byte(other)); len(l.cuts) != 1 || !l.whole["b.yaml"] {
		t.Errorf("in parts: %v, whole: %v", l.cuts, l.whole)
	}
}

// TestPartsOfReferences: which references stand for too much does not depend on how the files are parsed.
func TestPartsOfReferences(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("LONG", strings.Repeat("x", 60<<10))
	var text bytes.Buffer
	text.WriteString("probes:\n")
	for range 1_200 {
		text.WriteString("- {name: a, url: \"${env:LONG}\"}\n")
	}
	text.WriteString("agent: {location: \"${env:LONG}\"}\n")
	_, _, want := loadParts(0, false, text.Bytes())
	_, _, got := loadParts(batchBytes, false, text.Bytes())
	if want == nil || !strings.Contains(want.Error(), "64 MiB") || got == nil || got.Error() != want.Error() {
		t.Errorf("got %.2000v\nwant %.2000v", got, want)
	}
}

// TestPartsOfCorpus: the files of the corpora are the same in parts.
func TestPartsOfCorpus(t *testing.T) {
	clearEnvironment(t)
	parts := 0
	for name, text := range corpus(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			checkParts(t, text)
			if l, _, _ := loadParts(1, false, text); len(l.cuts) == 1 {
				parts++
			}
		})
	}
	if parts < 50 {
		t.Errorf("%d files are parsed in parts", parts)
	}
}

// FuzzParts: a text is the same configuration, or has the same faults, in parts and whole.
func FuzzParts(f *testing.F) {
	clearEnvironment(f)
	f.Setenv("TOKEN", "s3cret")
	f.Add([]byte(partsBase))
	f.Add([]byte(loaderBase))
	for _, text := range corpus(f) {
		if len(text) < 4<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkParts(t, text) })
}

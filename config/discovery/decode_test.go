package discovery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	about := map[string]string{"__meta_filepath": "f"}
	labelled := func(address, host string, labels ...string) Target {
		all := map[string]string{"__meta_filepath": "f"}
		for i := 0; i < len(labels); i += 2 {
			all[labels[i]] = labels[i+1]
		}
		return Target{Address: address, Host: host, Labels: all}
	}
	const kubernetes = `[{"targets": ["b:2", "a:1"], "labels": {"env": "prod", "port": "8080"}}, {"labels": {}, "targets": []}, {}]`
	for name, test := range map[string]struct {
		json, yaml string
		want       []Target
	}{
		"sorted, with labels": {kubernetes, kubernetes, []Target{
			labelled("a:1", "a", "env", "prod", "port", "8080"), labelled("b:2", "b", "env", "prod", "port", "8080")}},
		"labels before targets": {`[{"labels":{"x":"1"},"targets":["a"]}]`, "- labels: {x: 1}\n  targets: [a]",
			[]Target{labelled("a", "a", "x", "1")}},
		"duplicates folded": {`[{"targets":["a","a"]},{"targets":["a"]},{"targets":["a"],"labels":{"x":""}}]`,
			"- {targets: [a, a]}\n- {targets: [a]}\n- {targets: [a], labels: {x: ''}}",
			[]Target{labelled("a", "a"), labelled("a", "a", "x", "")}},
		"hosts": {`[{"targets":["wss://u@Chat.example:8443/x?y","[2001:db8::1]:80","[::1]","10.0.0.1","a b"]}]`,
			"- targets: ['wss://u@Chat.example:8443/x?y', '[2001:db8::1]:80', '[::1]', 10.0.0.1, a b]",
			[]Target{labelled("10.0.0.1", "10.0.0.1"), labelled("[2001:db8::1]:80", "2001:db8::1"), labelled("[::1]", "::1"),
				labelled("a b", "a b"), labelled("wss://u@Chat.example:8443/x?y", "Chat.example")}},
		"nothing": {`[]`, `[]`, []Target{}},
		"null":    {`null`, `null`, []Target{}},
		"nulls":   {`[{"targets":null,"labels":null},{"targets":["a"],"labels":{"x":null}}]`, "- {targets: , labels: }\n- {targets: [a], labels: {x: }}", []Target{labelled("a", "a", "x", "")}},
		"merged": {`[{"targets":["a"],"labels":{"x":"1","y":"2"}},{"targets":["b"],"labels":{"x":"3","y":"2"}}]`,
			"- &a {targets: [a], labels: &l {x: '1', y: '2'}}\n- {targets: [b], labels: {<<: *l, x: '3'}}\n- <<: *a\n",
			[]Target{labelled("a", "a", "x", "1", "y", "2"), labelled("b", "b", "x", "3", "y", "2")}},
		"own meta": {`[{"targets":["a"],"labels":{"__meta_filepath":"other"}}]`, "- {targets: [a], labels: {__meta_filepath: other}}", []Target{labelled("a", "a")}},
	} {
		got, err := decodeJSON(strings.NewReader(test.json), 10, about)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: JSON: %v, %v\nwant %v", name, got, err, test.want)
		}
		got, err = decodeYAML([]byte(test.yaml), 10, about)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: YAML: %v, %v\nwant %v", name, got, err, test.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", maxTarget)
	for _, test := range []struct {
		format, text, want string
	}{
		{"json", ``, "at byte 0: the JSON ends too early"},
		{"json", `[{"targets":["a"`, "the JSON ends too early"},
		{"json", `[{"targets":["a"]}`, "the JSON ends too early"},
		{"json", `[]]`, "more text behind the list"},
		{"json", `{"targets":["a"]}`, "a list of groups is wanted, and not a mapping"},
		{"json", `["a"]`, "a group with targets and labels is wanted, and not a text"},
		{"json", `[null]`, "at byte 5: a group is null"},
		{"json", `[{"targets":["a"],"label":{}}]`, `unknown key "label": a group has targets and labels`},
		{"json", `[{"targets":["a"],"Targets":["b"]}]`, `"Targets" is there twice`},
		{"json", `[{"targets":[1]}]`, "a target must be a text, and not a number"},
		{"json", `[{"targets":[["a"]]}]`, "a target must be a text, and not a list"},
		{"json", `[{"targets":"a"}]`, "a list of addresses is wanted, and not a text"},
		{"json", `[{"labels":{"x":8080}}]`, `the label "x" must be a text, and not a number`},
		{"json", `[{"labels":{"x":true}}]`, `the label "x" must be a text, and not a boolean`},
		{"json", `[{"labels":{"x":"1","x":"2"}}]`, `the label "x" is there twice`},
		{"json", `[{"labels":{"":"1"}}]`, "a label has no name"},
		{"json", `[{"labels":[]}]`, "a mapping of labels is wanted, and not a list"},
		{"json", `[{"targets":["a","b"]},{"targets":["c"]}]`, errTooMany.Error()},
		{"json", `[{"labels":{"x":"` + long + `"}}]`, "the labels of a group have more than 65536 bytes"},
		{"json", `[{"targets":["` + long + `"],"labels":{"x":"1"}}]`, `has more than 65536 bytes with its labels`},
		{"yaml", "", "the file is empty: [] says that there are no targets"},
		{"yaml", "# soon\n", "the file is empty: [] says that there are no targets"},
		{"yaml", "- targets: [a]\n  label: {}", `line 2: unknown key "label": a group has targets and labels`},
		{"yaml", "- targets: [a]\n  targets: [b]", `line 2: "targets" is there twice`},
		{"yaml", "- targets: [[a]]\n- targets: {}", "line 1: a target must be a text, and not a list"},
		{"yaml", "- targets:\n  - a\n  - {b: c}", "line 3: a target must be a text, and not a mapping"},
		{"yaml", "- targets: a", "line 1: a list of addresses is wanted, and not a text"},
		{"yaml", "targets: [a]", "line 1: a list of groups is wanted, and not a mapping"},
		{"yaml", "- targets: [a\n", "line 1: did not find expected ',' or ']'"},
		{"yaml", "-\n", "line 1: a group with targets and labels is wanted, and not null"},
		{"yaml", "- {labels: {}}\n- labels:\n    '': x", "line 3: a label has no name"},
		{"yaml", "- labels: [a]", "line 1: a mapping of labels is wanted, and not a list"},
		{"yaml", "- labels:\n    a: [b]", `line 2: the label "a" must be a text, and not a list`},
		{"yaml", "- labels: {a: b, a: c}", `line 1: "a" is there twice`},
		{"yaml", "- labels: {[a]: b}", "line 1: a key must be a text, and not a list"},
		{"yaml", "- targets: [!!binary aGk=]", "line 1: a target must be a text, and not binary"},
		{"yaml", "- <<: [{targets: [a]}]", "line 1: one mapping is wanted for <<, and not a list"},
		{"yaml", "- &a [*a]", "line 1: a group with targets and labels is wanted, and not a list"},
		{"yaml", "- &a {targets: [b], <<: *a}", ""},
		{"yaml", "[]\n---\n[]", "more than one document"},
		{"yaml", "- targets: [a, b, c]", errTooMany.Error()},
		{"yaml", "- targets: [a]\n- targets: [a, b]", errTooMany.Error()},
		{"yaml", "- targets: [a]\n  labels: {x: " + long + "}", `line 2: the labels of a group have more than 65536 bytes`},
		{"yaml", "- targets: [" + long + "]\n  labels: {x: y}", `has more than 65536 bytes with its labels`},
		{"yaml", strings.Repeat("a: &a\n", maxMarks), "too many values for YAML: JSON may have more"},
	} {
		got, err := decodeFile("f."+test.format, []byte(test.text), 2)
		if test.want == "" && err == nil {
			continue
		}
		if got != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.80q: %v, %v\nwant %s", test.text, got, err, test.want)
		}
	}
}

// endless is a list of targets without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	text := `"a:1",`
	if e.read == 0 {
		text = `[{"targets":["a:1",`
	}
	n := copy(p, text)
	e.read += n
	return n, nil
}

func TestYAMLThatRepeatsATextHasABound(t *testing.T) {
	text := "- {labels: &l {x: " + strings.Repeat("x", 60_000) + "}, targets: [a]}\n" + strings.Repeat("- {labels: *l, targets: [b]}\n", 600)
	if _, err := decodeYAML([]byte(text), 10_000, nil); err == nil || !strings.Contains(err.Error(), "line 560: the labels of all groups have more than 32 MiB") {
		t.Error(err)
	}
}

// TestYAMLOfAliasesHasABound: what aliases and merge keys repeat counts each time, and what stands there once is read.
func TestYAMLOfAliasesHasABound(t *testing.T) {
	const (
		group  = "- &g {targets: [], labels: &l {a: '1', b: '2', c: '3'}}\n" // two keys, then three
		labels = "- {targets: [], labels: *l}\n"
		merged = "- {targets: [], labels: {<<: *l}}\n" // one key more
	)
	for _, test := range []struct {
		name, text string
		values     int // that are enough
	}{
		{"a group", group, 5},
		{"aliases of a group", group + strings.Repeat("- *g\n", 3), 20},
		{"aliases of labels", group + strings.Repeat(labels, 3), 20},
		{"merge keys", group + strings.Repeat(merged, 3), 23},
		{"merged groups", group + "- <<: *g\n", 11},
		{"aliases of targets", "- {targets: &t [a, a, a]}\n- {targets: *t}\n", 8},
	} {
		for _, values := range []int{test.values, test.values - 1} {
			l := &yamlList{list: list{most: 100}, values: values}
			_, err := l.decode([]byte(test.text), nil)
			refused := err != nil && strings.Contains(err.Error(), "line ") && strings.Contains(err.Error(), errAliases.Error())
			if values == test.values && err != nil || values < test.values && !refused {
				t.Errorf("%s, %d values: %v", test.name, values, err)
			}
		}
	}
	text := "- &g {labels: {" + strings.Repeat("a", 100) + ": x}}\n" + strings.Repeat("- *g\n", 2*maxMarks/5)
	if _, err := decodeYAML([]byte(text), 10, nil); err != nil {
		t.Errorf("a file of the size that is allowed, with an alias in each group: %v", err)
	}
}

func TestDecodeStopsAtMaxTargets(t *testing.T) {
	var source endless
	if _, err := decodeJSON(&source, 1000, nil); err != errTooMany {
		t.Error(err)
	}
	if source.read > 64<<10 {
		t.Errorf("read %d bytes for 1,000 targets", source.read)
	}
}

// plainGroup is a group as a program without bounds reads it.
type plainGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// plainly decodes with encoding/json alone, as Prometheus does.
func plainly(data []byte) ([]Target, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var groups []*plainGroup
	if err := decoder.Decode(&groups); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("more text")
	}
	l := list{most: 1 << 30}
	for _, g := range groups {
		if g == nil {
			return nil, fmt.Errorf("nil group")
		}
		if _, nameless := g.Labels[""]; nameless {
			return nil, fmt.Errorf("nameless")
		}
		if err := l.addGroup(g.Targets, g.Labels, nil); err != nil {
			return nil, err
		}
	}
	return l.sorted(), nil
}

func FuzzDecodeJSON(f *testing.F) {
	for _, text := range []string{
		`[{"targets":["a:1","b"],"labels":{"x":"y"}},{}]`, `null`, `[null]`, `[{"Labels":{"a":null}}] `, `[{"targets":["\ud800"]}]`, `[1e5,[]]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 50
		got, err := decodeJSON(bytes.NewReader(data), most, nil)
		want, plainErr := plainly(data)
		if err != nil {
			stricter := strings.Contains(err.Error(), "twice") || err == errTooMany || strings.Contains(err.Error(), "bytes")
			if plainErr == nil && !stricter {
				t.Fatalf("%q: %v, but encoding/json reads it", data, err)
			}
			return
		}
		if plainErr != nil {
			t.Fatalf("%q is read, but encoding/json says %v", data, plainErr)
		}
		if !slices.EqualFunc(got, want, sameTarget) {
			t.Fatalf("%q: %v, want %v", data, got, want)
		}
		checkTargets(t, got, most)
	})
}

func FuzzDecodeYAML(f *testing.F) {
	for _, text := range []string{
		"- targets: [a:1, b]\n  labels: {x: y}", "null", "[null]", "- &a {targets: [1, 2.5, true]}\n- *a", "[]\n---\n", "- targets: !!binary aGk=",
		"- labels: &l {a: b}\n- labels: {<<: *l}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 50
		if got, err := decodeYAML(data, most, nil); err == nil {
			checkTargets(t, got, most)
		}
	})
}

// checkTargets holds the laws of a group.
func checkTargets(t *testing.T, targets []Target, most int) {
	t.Helper()
	if len(targets) > most {
		t.Fatalf("%d targets", len(targets))
	}
	for i, target := range targets {
		size := len(target.Address)
		for name, value := range target.Labels {
			size += len(name) + len(value)
		}
		if size > maxTarget {
			t.Fatalf("a target has %d bytes", size)
		}
		if i == 0 {
			continue
		}
		before := targets[i-1]
		if before.Address > target.Address || before.Address == target.Address && maps.Equal(before.Labels, target.Labels) {
			t.Fatalf("%v stands before %v", before, target)
		}
	}
}

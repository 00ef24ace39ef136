package convert

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

// TestEveryOption proves that an archive has each option of the tables, and that its field is in a stream made of one.
func TestEveryOption(t *testing.T) {
	for name, all := range map[string]options{
		"vector": VectorOptions(), "fluentbit": FluentBitOptions(), "telegraf": TelegrafOptions(),
	} {
		archives, err := filepath.Glob("testdata/" + name + "_*.txtar")
		if err != nil {
			t.Fatal(err)
		}
		used, made := map[string]bool{}, map[string]bool{}
		for _, file := range archives {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				if f.Name == "want.yaml" {
					fieldsOf(t, f.Data, made)
				} else if !strings.HasPrefix(f.Name, "want") {
					optionsOf(t, name, Source{Name: f.Name, Data: f.Data}, all, used)
				}
			}
		}
		for _, o := range all {
			if !used[o.Name] {
				t.Errorf("%s: no archive has the option %s", name, o.Name)
			}
			if o.Ours != "" && !made[o.Ours] {
				t.Errorf("%s: the option %s makes no field %s in any archive", name, o.Name, o.Ours)
			}
			switch {
			case o.Meaning == "":
				t.Errorf("%s: the option %s has no meaning", name, o.Name)
			case o.Ours != "" && o.apply == nil:
				t.Errorf("%s: the option %s has a field, but nothing sets it", name, o.Name)
			}
		}
	}
}

// optionsOf marks the options that a file has.
func optionsOf(t *testing.T, program string, s Source, all options, used map[string]bool) {
	t.Helper()
	var paths []string
	switch program {
	case "telegraf":
		root, err := parseTOML(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range root.at("agent").fields {
			paths = append(paths, "agent."+f.name)
		}
		for _, output := range root.find("outputs.websocket").items {
			for _, l := range output.leaves(all.whole) {
				paths = append(paths, l.path)
			}
		}
	case "vector":
		root, err := vectorTree(s)
		if err != nil {
			t.Fatal(err)
		}
		if sinks := root.at("sinks"); sinks != nil {
			for _, sink := range sinks.fields {
				for _, l := range sink.node.leaves(all.whole) {
					paths = append(paths, l.path)
				}
			}
		}
	default:
		if strings.HasSuffix(s.Name, ".inc") {
			s.Format = "conf"
		}
		f := fluentBitFile{set: map[string]string{}, open: func(string, string) ([]Source, error) { return nil, nil }}
		if err := f.read(s); err != nil {
			t.Fatal(err)
		}
		for _, section := range f.sections {
			for _, field := range section.fields {
				paths = append(paths, field.name, section.name+"."+field.name)
			}
		}
	}
	for _, path := range paths {
		if o := all.find(path); o != nil {
			used[o.Name] = true
		}
	}
}

// fieldsOf marks the fields that streams have.
func fieldsOf(t *testing.T, data []byte, made map[string]bool) {
	t.Helper()
	var file struct{ Streams []map[string]any }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var mark func(prefix string, fields map[string]any)
	mark = func(prefix string, fields map[string]any) {
		for key, value := range fields {
			made[prefix+key] = true
			if inner, ok := value.(map[string]any); ok {
				mark(prefix+key+".", inner)
			}
		}
	}
	for _, stream := range file.Streams {
		mark("", stream)
	}
}

// TestNotesKeepSecrets proves that a note repeats no value that is a secret.
func TestNotesKeepSecrets(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			for _, secret := range []string{"s3cret", "hunter2", "letmein", "abc", "pw@", "p%40ss", "p@ss"} {
				if f.Name == "want.notes" && strings.Contains(string(f.Data), secret) {
					t.Errorf("%s: the notes have %s", file, secret)
				}
			}
		}
	}
}

// TestFaults proves that a faulty file is one line with its place and without its values.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ program, format, file, want string }{
		{"vector", "toml", "a = 1\na = \"hunter2\"\n", "f:2:1: key a is already defined"},
		{"vector", "toml", "[sinks.x]\ntoken = \"hunter2\n", "f:2:"},
		{"vector", "toml", "[sinks.x]\nport = ${PORT}\n", "; put quotes around the variable in this line"},
		{"vector", "toml", "[sinks.x]\ntype = \"websocket\"\n", "f:1: sinks.x.uri is missing"},
		{"vector", "yaml", "sinks:\n  x: {type: websocket, uri: \"hunter2}\n", "f:"},
		{"vector", "yaml", "a: 1\n---\nb: 2\n", "f: has more than one document"},
		{"vector", "yaml", "- hunter2\n", "f:1:1: must be a mapping"},
		{"vector", "yaml", "a: &a {b: *a}\n", "f: anchor 'a' value contains itself"},
		{"vector", "yaml", "", "f: no sink of type websocket"},
		{"vector", "yaml", strings.Repeat("[", 200) + strings.Repeat("]", 200), "f: nests values too deeply"},
		{"vector", "json", "{\"a\": 1,\n \"a\": 2}", "f:2:4: has the name \"a\" twice"},
		{"vector", "json", "{\"a\": hunter2}", "f:1:7: invalid character"},
		{"vector", "json", "{} {}", "after top-level value"},
		{"vector", "json", "[1]", "must be an object"},
		{"vector", "json", strings.Repeat("[", 100_000), "exceeded max depth"},
		{"vector", "json", strings.Repeat("[", 200) + strings.Repeat("]", 200), "nests values too deeply"},
		{"vector", "toml", "a = " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "f: nests values too deeply"},
		{"vector", "toml", "a = \"hunter2\xff\"\n", "f: is not UTF-8"},
		{"vector", "conf", "", "f: has the format conf, but this program reads toml, yaml, json"},
		{"vector", "", "", "f: has no extension that tells its format"},
		{"fluentbit", "conf", "[OUTPUT\n", "f:1: a section has no ] behind its name"},
		{"fluentbit", "conf", "Name websocket\n", "f:1: an option stands in no section"},
		{"fluentbit", "conf", "[OUTPUT]\nName websocket\n", "f:2: an option must be indented"},
		{"fluentbit", "conf", "[OUTPUT]\n  Name websocket\n     Host hunter2\n", "f:3: is not indented as the options before it"},
		{"fluentbit", "conf", "[OUTPUT]\n  Name websocket\n\tHost hunter2\n", "f:3: is not indented as the options before it"},
		{"fluentbit", "conf", "[OUTPUT]\n  Name\n", "f:2: an option has no value"},
		{"fluentbit", "conf", "@SET hunter2\n", "f:1: @SET needs NAME=VALUE"},
		{"fluentbit", "conf", "@INCLUDE x\n", "f:1: includes files, which cannot be read from here"},
		{"fluentbit", "conf", "[OUTPUT]\n  Name http\n[OUTPUT]\n  Name es\n", "f: no output of the name websocket, only http.0, es.1"},
		{"fluentbit", "yaml", "pipeline:\n  outputs: {name: websocket}\n", "f:2: pipeline.outputs must be a list"},
		{"telegraf", "", "[[outputs.websocket]]\ninsecure_skip_verify = ${X}\n", "; put quotes around the variable in this line"},
		{"telegraf", "", "[[outputs.websocket]]\n", "f:1: outputs.websocket.0.url is missing"},
		{"telegraf", "", "[[outputs.http]]\n", "f: no output websocket, only outputs.http"},
		{"telegraf", "", "outputs = 3\n", "f: no output websocket"},
	} {
		source := []Source{{Name: "f", Format: c.format, Data: []byte(c.file)}}
		convert := Vector
		switch c.program {
		case "fluentbit":
			convert = func(files []Source) (Result, error) { return FluentBit(files, nil) }
		case "telegraf":
			convert = Telegraf
		}
		result, err := convert(source)
		switch {
		case err == nil:
			t.Errorf("%q made\n%s", c.file, result.YAML)
		case !strings.Contains(err.Error(), c.want), strings.Contains(err.Error(), "\n"), strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%.40q: %v, want %s", c.file, err, c.want)
		}
	}
}

// FuzzVector proves that no file ends the program, and that whatever comes out is YAML.
func FuzzVector(f *testing.F) {
	fuzzSeeds(f, "vector")
	f.Fuzz(func(t *testing.T, data []byte, format int) {
		formats := []string{"toml", "yaml", "json"}
		result, err := Vector([]Source{{Name: "f", Format: formats[uint(format)%3], Data: data}})
		checkFuzzed(t, result, err)
	})
}

// FuzzTelegraf does the same for the files of Telegraf.
func FuzzTelegraf(f *testing.F) {
	fuzzSeeds(f, "telegraf")
	f.Fuzz(func(t *testing.T, data []byte, _ int) {
		result, err := Telegraf([]Source{{Name: "f", Data: data}})
		checkFuzzed(t, result, err)
	})
}

// FuzzFluentBit does the same for the files of Fluent Bit, one of which includes itself.
func FuzzFluentBit(f *testing.F) {
	fuzzSeeds(f, "fluentbit")
	f.Fuzz(func(t *testing.T, data []byte, format int) {
		formats := []string{"conf", "yaml"}
		s := Source{Name: "f", Format: formats[uint(format)%2], Data: data}
		result, err := FluentBit([]Source{s}, func(_, pattern string) ([]Source, error) {
			return []Source{{Name: pattern, Data: data}}, nil
		})
		checkFuzzed(t, result, err)
	})
}

// fuzzSeeds adds the files of the archives.
func fuzzSeeds(f *testing.F, name string) {
	f.Helper()
	archives, err := filepath.Glob("testdata/" + name + "_*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, seed := range archive.Files {
			for format := range 3 {
				f.Add(seed.Data, format)
			}
		}
	}
}

func checkFuzzed(t *testing.T, result Result, err error) {
	t.Helper()
	if err != nil {
		if len(result.YAML) > 0 {
			t.Errorf("a fault, and\n%s", result.YAML)
		}
		return
	}
	var file struct{ Streams []map[string]any }
	if err := yaml.Unmarshal(result.YAML, &file); err != nil {
		t.Errorf("%v in\n%s", err, result.YAML)
	}
	for _, stream := range file.Streams {
		if stream["name"] == "" || stream["url"] == nil {
			t.Errorf("a stream has no name or no url:\n%s", result.YAML)
		}
	}
}

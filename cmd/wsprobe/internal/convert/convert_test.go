package convert

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the wanted results anew")

// TestFiles converts the files of each archive. The streams, the notes or the fault stand in the archive, too.
func TestFiles(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 10 {
		t.Fatalf("%d archives: %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			wanted := func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want") }
			files := slices.DeleteFunc(slices.Clone(archive.Files), wanted)
			got := converted(t, name, files)
			if *update {
				archive.Files = append(files, got...)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := archive.Files[len(files):]
			for i := range max(len(got), len(want)) {
				switch {
				case i >= len(got):
					t.Errorf("no %s, want\n%s", want[i].Name, want[i].Data)
				case i >= len(want) || got[i].Name != want[i].Name || !bytes.Equal(got[i].Data, want[i].Data):
					t.Errorf("%s is\n%s", got[i].Name, got[i].Data)
				}
			}
		})
	}
}

// converted converts the files of an archive, whose name says whose they are.
func converted(t *testing.T, name string, files []txtar.File) []txtar.File {
	t.Helper()
	var sources []Source
	for _, f := range files {
		sources = append(sources, Source{Name: f.Name, Data: f.Data})
	}
	var result Result
	var err error
	switch {
	case strings.Contains(name, "fluentbit"):
		result, err = FluentBit(sources[:1], opener(sources))
	case strings.Contains(name, "telegraf"):
		result, err = Telegraf(sources)
	default:
		result, err = Vector(sources)
	}
	if err != nil {
		return []txtar.File{{Name: "want.fault", Data: []byte(err.Error() + "\n")}}
	}
	if problem := yaml.Unmarshal(result.YAML, new(map[string]any)); problem != nil {
		t.Errorf("%v in\n%s", problem, result.YAML)
	}
	var notes strings.Builder
	for _, n := range result.Notes {
		notes.WriteString(n.String() + "\n")
	}
	return []txtar.File{{Name: "want.yaml", Data: result.YAML}, {Name: "want.notes", Data: []byte(notes.String())}}
}

// opener opens files that are in memory.
func opener(all []Source) Opener {
	return func(from, pattern string) ([]Source, error) {
		var found []Source
		for _, s := range all {
			if match, err := path.Match(path.Join(path.Dir(from), pattern), s.Name); err == nil && match {
				found = append(found, s)
			}
		}
		if found == nil {
			return nil, errors.New("no such file")
		}
		return found, nil
	}
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config"
)

// yamlBlock is a piece of YAML in a page.
var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// TestPageFragments proves that each piece of YAML in a page is one: the agent takes its own without a warning, and the
// configurations of other programs are YAML.
func TestPageFragments(t *testing.T) {
	const name, probes = "# wsprobe.yaml\n", "probes:\n  - name: x\n    url: wss://x.example.com/\n"
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	var found int
	for path, text := range pages(t) {
		for _, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
			found++
			content := block[1]
			switch {
			case strings.HasPrefix(content, "    "): // fields of a probe
				if strings.Contains(content, "send") {
					content = "    interpretation: round_trip_latency\n" + content
				}
				content = probes + content
			case strings.HasPrefix(content, name), !strings.HasPrefix(content, "#"):
				content += probes
			case !strings.Contains(content, "\nprobes:\n"):
				if err := yaml.Unmarshal([]byte(content), new(map[string]any)); err != nil {
					t.Errorf("%s: %v in\n%s", path, err, content)
				}
				continue
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.CheckWithoutSecrets(file)
			if err != nil {
				t.Errorf("%s: %v in\n%s", path, err, content)
				continue
			}
			for _, warning := range cfg.Warnings {
				t.Errorf("%s: %v in\n%s", path, warning, content)
			}
		}
	}
	if found < 30 {
		t.Errorf("the pages have %d pieces of YAML, which cannot be all", found)
	}
}

// TestPageCommands proves that each command line of wsprobe in a page names a command and flags that there are, and examples
// that there are.
func TestPageCommands(t *testing.T) {
	line := regexp.MustCompile(`(?m)^    (?:\$ )?(?:bin/)?wsprobe ([a-z].*)$`)
	comment := regexp.MustCompile(` {2,}#.*$| &( .*)?$|; echo.*$`)
	var found int
	for path, text := range pages(t) {
		for _, match := range line.FindAllStringSubmatch(text, -1) {
			found++
			words, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+comment.ReplaceAllString(match[1], "")).Output()
			if err != nil {
				t.Errorf("%s: %s: %v", path, match[0], err)
				continue
			}
			args := strings.Split(strings.TrimSuffix(string(words), "\n"), "\n")
			cmd, rest, err := newRoot(io.Discard, io.Discard).Find(args)
			if err != nil || cmd.Name() != args[0] {
				t.Errorf("%s: %s: no such command: %v", path, match[0], err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %s: %v", path, match[0], err)
			}
			if i := slices.Index(args, "-c"); i >= 0 && strings.Contains(args[i+1], "/") {
				if _, err := os.Stat(root + args[i+1]); err != nil {
					t.Errorf("%s: %s: %v", path, match[0], err)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("the pages have %d command lines, which cannot be all", found)
	}
}

// TestContributingWalks proves that the walks through the code name files that there are, and what these declare.
func TestContributingWalks(t *testing.T) {
	steps := regexp.MustCompile("(?m)^\\| \\d+ \\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(page(t, "CONTRIBUTING.md"), -1)
	if len(steps) < 20 {
		t.Errorf("the walks have %d steps, which cannot be all", len(steps))
	}
	for _, step := range steps {
		file, err := parser.ParseFile(token.NewFileSet(), root+step[1], nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(file.Decls, func(d ast.Decl) bool { return declares(d, step[2]) }) {
			t.Errorf("%s does not declare %s", step[1], step[2])
		}
	}
}

// TestContributingHouse proves that the house has every package of the module, and every import that an arrow draws.
func TestContributingHouse(t *testing.T) {
	_, house, _ := strings.Cut(page(t, "CONTRIBUTING.md"), "\n## The house\n")
	house, _, _ = strings.Cut(house, "\n## ")
	packages := goList(t, false)
	for path := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(path, module+"/"), "cmd/wsprobe/")
		if path != module+"/cmd/wsprobe" && !strings.Contains(house, "`"+name+"`") {
			t.Errorf("the house does not name %s", name)
		}
	}
	arrows := 0
	for _, chain := range regexp.MustCompile(`\S.*? -> .*?(   |\n)`).FindAllString(house, -1) {
		ends := strings.Split(strings.TrimSpace(chain), " -> ")
		for i, targets := range ends[1:] {
			for from := range strings.SplitSeq(ends[i], ", ") {
				for to := range strings.SplitSeq(targets, ", ") {
					if arrows++; !imports(packages, from, to) {
						t.Errorf("the house draws %s -> %s, but there is no such import", from, to)
					}
				}
			}
		}
	}
	if arrows < 20 {
		t.Errorf("the house has %d arrows, which cannot be all", arrows)
	}
}

// imports reports whether a package imports another, by their short names.
func imports(packages map[string]pkg, from, to string) bool {
	named := func(path, name string) bool {
		tree, whole := strings.CutSuffix(name, "*")
		return strings.HasSuffix(path, "/"+name) || whole && strings.HasPrefix(path, module+"/"+tree)
	}
	for path, p := range packages {
		if named(path, from) && slices.ContainsFunc(p.Imports, func(path string) bool { return named(path, to) }) {
			return true
		}
	}
	return false
}

// declares reports whether a declaration is that of a function, a method or a variable of a name.
func declares(d ast.Decl, name string) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name == name
	case *ast.GenDecl:
		return slices.ContainsFunc(d.Specs, func(s ast.Spec) bool {
			v, ok := s.(*ast.ValueSpec)
			return ok && v.Names[0].Name == name
		})
	default:
		return false
	}
}

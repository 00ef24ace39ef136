package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// parsed is a Go file of any module and for any system.
type parsed struct {
	path string // from the top of the repository
	test bool
	file *ast.File
	fset *token.FileSet
}

// repository returns every Go file there is: other modules and other systems are held to the same shape.
func repository(t *testing.T) []parsed {
	t.Helper()
	all, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("%d Go files, want those of the repository", len(all))
	}
	return all
}

// parseAll parses the files once for all tests.
var parseAll = sync.OnceValues(func() ([]parsed, error) {
	const top = "../.."
	var all []parsed
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules", "testdata"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		all = append(all, parsed{filepath.ToSlash(relative), strings.HasSuffix(path, "_test.go"), file, fset})
		return nil
	})
	return all, err
})

// TestSize holds that a file and a function can be taken in at once.
func TestSize(t *testing.T) {
	const (
		maxFile     = 300 // lines
		maxFunction = 60
	)
	for _, f := range repository(t) {
		if f.test {
			continue
		}
		if lines := f.fset.File(f.file.Pos()).LineCount(); lines > maxFile {
			t.Errorf("%s: %d lines, want %d at most", f.path, lines, maxFile)
		}
		for _, declared := range f.file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := f.fset.Position(function.End()).Line - f.fset.Position(function.Pos()).Line + 1
			if lines > maxFunction {
				t.Errorf("%s: %s has %d lines, want %d at most", f.path, function.Name.Name, lines, maxFunction)
			}
		}
	}
}

// TestPackageDocs holds that each package has one idea, and says it: the first sentence needs no "and".
func TestPackageDocs(t *testing.T) {
	type description struct{ path, text string }
	packages := make(map[string]*description) // by folder
	for _, f := range repository(t) {
		if f.test {
			continue
		}
		folder := filepath.ToSlash(filepath.Dir(f.path))
		if packages[folder] == nil {
			packages[folder] = &description{path: f.path}
		}
		if f.file.Doc == nil {
			continue
		}
		if p := packages[folder]; p.text != "" {
			t.Errorf("%s describes its package, and so does %s", f.path, p.path)
		}
		packages[folder] = &description{f.path, f.file.Doc.Text()}
	}
	for folder, p := range packages {
		first := new(doc.Package).Synopsis(p.text)
		switch {
		case first == "":
			t.Errorf("%s: no sentence says what the package is", folder)
		case slices.Contains(strings.FieldsFunc(first, func(r rune) bool { return r == ' ' || r == ',' }), "and"):
			t.Errorf("%s: a package of two ideas: %s", p.path, first)
		}
	}
}

// TestPackageNames holds that a package is named by its idea, and not by its place in a pattern.
func TestPackageNames(t *testing.T) {
	empty := []string{"util", "utils", "common", "types", "models", "errors", "helpers", "misc", "shared", "base"}
	for _, f := range repository(t) {
		if slices.Contains(empty, f.file.Name.Name) {
			t.Errorf("%s: the name of package %s says nothing", f.path, f.file.Name.Name)
		}
	}
}

// TestNothingLeftToDo holds that comments promise nothing: there is an issue for that.
func TestNothingLeftToDo(t *testing.T) {
	mark := regexp.MustCompile(`\b(TODO|FIXME|HACK)\b`)
	for _, f := range repository(t) {
		for _, group := range f.file.Comments {
			if found := mark.FindString(group.Text()); found != "" {
				t.Errorf("%v: %s", f.fset.Position(group.Pos()), found)
			}
		}
	}
}

// TestDeploymentKnowsNoProgram holds that the other modules, a receiver for the Collector among them, do not build on
// the program: it is what they run.
func TestDeploymentKnowsNoProgram(t *testing.T) {
	for _, f := range repository(t) {
		if !strings.HasPrefix(f.path, "deploy/") {
			continue
		}
		for _, spec := range f.file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); within(path, module+"/cmd/...") {
				t.Errorf("%s imports %s", f.path, path)
			}
		}
	}
}

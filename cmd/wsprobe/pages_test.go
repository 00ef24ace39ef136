package main

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// maxReadme is the number of lines that the front page has at most: a visitor reads it in one sitting.
const maxReadme = 150

// widest is the number of columns that prose has at most. Tables, code and links may be wider.
const widest = 120

// pages are the Markdown files of the repository, by their paths from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "bin", "testdata", "node_modules"}, entry.Name()) {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			name := filepath.ToSlash(strings.TrimPrefix(path, filepath.FromSlash(root)))
			texts[name] = page(t, name)
		}
		return nil
	})
	if err != nil || len(texts) < 8 {
		t.Fatalf("%d pages: %v", len(texts), err)
	}
	return texts
}

// TestReadmeIsShort proves that the front page stays one.
func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(page(t, "README.md"), "\n"); lines > maxReadme {
		t.Errorf("README.md has %d lines, want at most %d: give them to the page that they are about", lines, maxReadme)
	}
}

// TestPagesAreNarrow proves that the prose of every page fits an editor.
func TestPagesAreNarrow(t *testing.T) {
	for name, text := range pages(t) {
		for i, line := range prose(text) {
			if len([]rune(line)) > widest && strings.Contains(line[:widest], " ") && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d has %d columns, want at most %d", name, i+1, len([]rune(line)), widest)
			}
		}
	}
}

// TestPageLinks proves that every relative link leads to a file, or to a heading, and that each page is linked to.
func TestPageLinks(t *testing.T) {
	texts := pages(t)
	linked := map[string]bool{"README.md": true}
	for name, text := range texts {
		for _, link := range links(text) {
			path, anchor, _ := strings.Cut(link, "#")
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
			}
			if _, err := os.Stat(root + target); err != nil {
				t.Errorf("%s: the link %s leads nowhere: %v", name, link, err)
				continue
			}
			if info := target + "/README.md"; texts[info] != "" {
				target = info // a host shows it for the folder
			}
			if target != name {
				linked[target] = true
			}
			if anchor != "" && !slices.Contains(anchors(texts[target]), anchor) {
				t.Errorf("%s: %s has no heading %q, only %q", name, target, anchor, anchors(texts[target]))
			}
		}
	}
	for name := range texts {
		if !linked[name] {
			t.Errorf("no page has a link to %s", name)
		}
	}
}

// prose returns the lines of a page with those of code blocks emptied.
func prose(text string) []string {
	lines := strings.Split(text, "\n")
	fenced, blank := false, true
	for i, line := range lines {
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			fenced = !fenced
			lines[i] = ""
		case fenced, strings.HasPrefix(line, "    ") && blank:
			lines[i] = "" // an indented block goes on as long as it is indented, because its lines count as blank
		default:
			blank = strings.TrimSpace(line) == ""
		}
	}
	return lines
}

// inlineCode is a span of code: in it, brackets are no link, and a heading drops only its backticks.
var inlineCode = regexp.MustCompile("`[^`]*`")

// links returns the targets of the links of a page that lead to files of this repository.
func links(text string) []string {
	var found []string
	plain := inlineCode.ReplaceAllString(strings.Join(prose(text), "\n"), "code")
	for _, match := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(plain, -1) {
		if u, err := url.Parse(match[1]); err != nil || u.Scheme == "" {
			found = append(found, match[1])
		}
	}
	return found
}

// anchors returns the names under which hosts of repositories offer the headings of a page.
func anchors(text string) []string {
	var names []string
	seen := map[string]int{}
	for _, line := range prose(text) {
		heading, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !found || !strings.HasPrefix(line, "#") {
			continue
		}
		name := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(heading), "")
		name = strings.ReplaceAll(name, " ", "-")
		seen[name]++
		if n := seen[name]; n > 1 {
			name += "-" + string(rune('0'+n-1))
		}
		names = append(names, name)
	}
	return names
}

// TestReadmeSession runs the commands of the front page's session against the endpoints of `wsprobe target`. Each line that
// the page shows must be printed, whatever the times in it are. Lines about time between the phases are left out,
// because a busy machine has more of them.
func TestReadmeSession(t *testing.T) {
	scripts := map[string]wstest.Script{}
	for _, c := range wstest.Catalogue(defaultTargetText) {
		scripts["/"+c.Name] = c.Script
	}
	server := wstest.Start(wstest.ByPath(scripts))
	t.Cleanup(server.Close)
	shown := strings.Split(page(t, "README.md"), "\n    $ ")
	var ran int
	for _, session := range shown {
		command, output, _ := strings.Cut(session, "\n")
		if !strings.HasPrefix(command, "wsprobe once ws://") {
			continue
		}
		ran++
		line := strings.ReplaceAll(command, "127.0.0.1:9465", server.Addr().String())
		printed, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		if err != nil && !strings.Contains(command, "echo") {
			t.Errorf("%s: %v", line, err)
		}
		got := timeless(strings.ReplaceAll(string(printed), server.Addr().String(), "127.0.0.1:9465"))
		for want := range strings.Lines(output) {
			if want != "\n" && !strings.HasPrefix(want, "    ") {
				break // prose
			}
			want = timeless(want)
			if !strings.HasPrefix(want, "(") && !strings.HasPrefix(want, "total") && !strings.Contains(got, want) {
				t.Errorf("%s\nprinted\n%s\nwant the line\n%s", line, got, want)
			}
		}
	}
	if ran != 2 {
		t.Errorf("the session has %d runs, want a success and a failure", ran)
	}
}

// timeless replaces times, and takes out the bars that show them and the line breaks that depend on them.
func timeless(text string) string {
	text = regexp.MustCompile(`\d+(\.\d+)? ms`).ReplaceAllString(text, "N ms")
	text = regexp.MustCompile(`[▀-▟·]+`).ReplaceAllString(text, "")
	return strings.Join(strings.Fields(text), " ")
}

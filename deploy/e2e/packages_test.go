package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackagesOfCI: CI installs each Debian package that a test asks for, or another one that depends on it.
func TestPackagesOfCI(t *testing.T) {
	script, err := os.ReadFile("../../.ci/run")
	must(t, err)
	var installed []string
	for _, row := range regexp.MustCompile(`(?m)^need \S+ (.+)$`).FindAllStringSubmatch(string(script), -1) {
		installed = append(installed, strings.Fields(row[1])...)
	}
	depends := map[string]string{"erlang-base": "rabbitmq-server", "perl": "libmojolicious-perl", "python3": "python3-aiohttp"}
	files, err := filepath.Glob("*_test.go")
	must(t, err)
	asked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, call := range regexp.MustCompile(`need\(t, "[^"]+", "([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			asked++
			if by := depends[call[1]]; !slices.Contains(installed, call[1]) && (by == "" || !slices.Contains(installed, by)) {
				t.Errorf("%s asks for %s, which CI does not install", file, call[1])
			}
		}
	}
	if asked < 20 {
		t.Errorf("%d packages are asked for: the pattern misses some", asked)
	}
}

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestCollectorExamplesKeepQuietTotals: a total that does not change is exported up to 80 s after it was last, so a
// Collector must not forget it before.
func TestCollectorExamplesKeepQuietTotals(t *testing.T) {
	expiration := regexp.MustCompile(`(?m)^\s*metric_expiration:\s*(?:\$\{env:\w+:-)?([0-9a-z]+)`)
	found := 0
	err := filepath.WalkDir(filepath.Join(root, "deploy"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") && !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range expiration.FindAllSubmatch(text, -1) {
			found++
			if d, err := time.ParseDuration(string(match[1])); err != nil || d < 2*time.Minute {
				t.Errorf("%s: metric_expiration: %s, want 2m or more", path, match[1])
			}
		}
		return err
	})
	if err != nil || found < 2 {
		t.Errorf("%d examples have metric_expiration (%v), want those of the page and of the compose file", found, err)
	}
}

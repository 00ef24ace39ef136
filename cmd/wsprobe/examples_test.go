package main

import (
	"path/filepath"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// TestExamplesWithoutWarnings: what we show as an example is as meant, also to who has none of its secrets.
func TestExamplesWithoutWarnings(t *testing.T) {
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		cfg, err := config.CheckWithoutSecrets(file)
		if err != nil {
			t.Error(err)
		}
		for _, warning := range cfg.Warnings {
			t.Error(warning)
		}
	}
}

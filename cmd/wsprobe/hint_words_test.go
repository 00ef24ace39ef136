package main

import (
	"regexp"
	"slices"
	"testing"

	"github.com/wsprobe/wsprobe/config"
)

// TestHintWords proves that hints name flags that there are, in place of fields that there are.
func TestHintWords(t *testing.T) {
	var fields []string
	for _, f := range config.Fields() {
		fields = append(fields, f.Path)
	}
	flags := append(adhocNames(), tlsFlags()...)
	for field, words := range hintFlags {
		if !slices.Contains(fields, "probes[]."+field) {
			t.Errorf("%s is no field of a probe", field)
		}
		for _, flag := range regexp.MustCompile(`--([a-z0-9-]+)`).FindAllStringSubmatch(words, -1) {
			if !slices.Contains(flags, flag[1]) {
				t.Errorf("%s: there is no flag %s", field, flag[0])
			}
		}
	}
}

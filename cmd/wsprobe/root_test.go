package main

import (
	"strings"
	"testing"
)

// TestComplain wants each line of an error to be one of wsprobe's.
func TestComplain(t *testing.T) {
	var out strings.Builder
	complain(&out, "one\ntwo")
	if got := out.String(); got != "wsprobe: one\nwsprobe: two\n" {
		t.Errorf("%q", got)
	}
}

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNestedMappingsAreRead: of every mapping in a mapping somebody reads the fields. One that the tables have and
// nobody reads would be accepted and ignored.
func TestNestedMappingsAreRead(t *testing.T) {
	clearEnvironment(t)
	const probe = "probes: [{name: a, url: 'ws://h.example/'%s}]\n"
	nested := 0
	check := func(path, text string, args ...any) {
		nested++
		file := filepath.Join(t.TempDir(), "wsprobe.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, text, args...), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), path+": is no field of") {
			t.Errorf("%s is accepted: %v", path, err)
		}
	}
	for _, f := range fieldsOf(agentSection) {
		check("agent."+f+".nothing", "agent: {%s: {nothing: 1}}\n"+probe, f, "")
	}
	for _, f := range fieldsOf(otlpSection) {
		check("otlp."+f+".nothing", "otlp: {%s: {nothing: 1}}\n"+probe, f, "")
	}
	for _, f := range fieldsOf(probeSection) {
		path, inside := f+".nothing", "{nothing: 1}"
		if f == "exchange" || f == "maintenance" {
			path, inside = f+"[0].nothing", "[{nothing: 1}]"
		}
		check("probes[0]."+path, probe, ", "+f+": "+inside)
		check("defaults."+path, "defaults: {"+f+": "+inside+"}\n"+probe, "")
	}
	for _, f := range fieldsOf(sessionSection) {
		path, inside := "session."+f+".nothing", "{nothing: 1}"
		if f == "answers" {
			path, inside = "session."+f+"[0].nothing", "[{nothing: 1}]"
		}
		check("probes[0]."+path, probe, ", session: {"+f+": "+inside+"}")
		check("defaults."+path, "defaults: {session: {"+f+": "+inside+"}}\n"+probe, "")
	}
	if nested < 6 {
		t.Errorf("only %d nested mappings", nested)
	}
}

// fieldsOf returns the fields of a section that are mappings with fields of their own.
func fieldsOf[T any](s *section[T]) []string {
	var names []string
	for _, f := range s.fields {
		if f.Kind == Section || f.Kind == Sections {
			names = append(names, f.Key())
		}
	}
	return names
}

package config

import (
	"slices"
	"strings"
	"testing"
)

// TestForeignNames: every name leads to a field that is there, is spelled as it is looked for, and hides no field.
func TestForeignNames(t *testing.T) {
	prefixes := map[string]string{"": "", "probes": "probes[].", "defaults": "probes[].", "tls": "probes[].tls.", "auth": "probes[].auth.", "prepare": "probes[].prepare.", "prepare.capture": "probes[].prepare.capture.NAME.",
		"exchange": "probes[].exchange[].", "thresholds": "probes[].thresholds.", "dwell": "probes[].dwell.",
		"session": "probes[].session.", "session.heartbeat": "probes[].session.heartbeat.", "session.answers": "probes[].session.answers[].",
		"session.reconnect": "probes[].session.reconnect.", "streams": "streams[].", "encoding": "streams[].encoding.",
		"encoding.csv": "streams[].encoding.csv.", "batch": "streams[].batch.", "buffer": "streams[].buffer.", "reconnect": "streams[].reconnect."}
	for section, names := range foreignKeys() {
		prefix, ok := prefixes[section]
		if !ok {
			prefix = section + "."
		}
		has := func(path string) bool {
			return slices.ContainsFunc(Fields(), func(f Field) bool { return f.Path == prefix+path })
		}
		for name, entry := range names {
			shared := section == "otlp.tls" // the table of the probes' tls
			if entry.path != "" && !shared && !has(entry.path) {
				t.Errorf("%s: %s leads to %s, which is no field", section, name, entry.path)
			}
			if bareKey.Replace(strings.ToLower(name)) != name {
				t.Errorf("%s: %s is never found: names have no _ - . and capitals", section, name)
			}
			if entry.path == "" && entry.note == "" {
				t.Errorf("%s: %s says nothing", section, name)
			}
		}
	}
}

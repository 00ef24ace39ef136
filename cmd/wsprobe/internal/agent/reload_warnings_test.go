package agent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// TestReloadTellsNewWarnings: a warning is told by the load that brings it, and not again while it stays: wherever its
// line moves to, and whatever fails in between. Once it was gone, it is new.
func TestReloadTellsNewWarnings(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		const text = "probes:\n%s  - {name: one, url: URL/echo, interval: %s}\n  - {name: two, url: URL/echo, interval: %s}\n"
		const probe0, probe1 = "path=probes[0].interval", "path=probes[1].interval"
		for _, step := range []struct {
			what, file string
			tells      []string
		}{
			{"the first one", fmt.Sprintf(text, "", "1s", "60s"), []string{probe0}},
			{"nothing new", fmt.Sprintf(text, "", "1s", "60s"), nil},
			{"another line", fmt.Sprintf(text, "  # a comment\n", "1s", "60s"), nil},
			{"a second one", fmt.Sprintf(text, "", "1s", "1s"), []string{probe1}},
			{"a fault", fmt.Sprintf(text, "", "none", "1s"), nil},
			{"no fault any more", fmt.Sprintf(text, "", "1s", "1s"), nil},
			{"one is mended", fmt.Sprintf(text, "", "60s", "1s"), nil},
			{"it is back", fmt.Sprintf(text, "", "1s", "1s"), []string{probe0}},
			{"another problem of the field", fmt.Sprintf(text, "", "2s", "1s"), nil},
		} {
			r.write(strings.ReplaceAll(step.file, "URL/echo", "URL/echo, timeout_ms: 5000"))
			before := len(r.log.String())
			r.get("POST", "/-/reload")
			synctest.Wait()
			var told []string
			for line := range strings.Lines(r.log.String()[before:]) {
				if strings.Contains(line, "the configuration has a warning") {
					told = append(told, line)
				}
			}
			if len(told) != len(step.tells) {
				t.Errorf("%s: told %q, want %q", step.what, told, step.tells)
				continue
			}
			for i := range told {
				if !strings.Contains(told[i], step.tells[i]) {
					t.Errorf("%s: told %s, want %s", step.what, told[i], step.tells[i])
				}
			}
		}
	})
}

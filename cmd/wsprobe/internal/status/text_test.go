package status

import (
	"errors"
	"strings"
	"testing"
)

// unruly is a text of a back end that would rather be a line of its own, turned round and in colour.
const unruly = "rejected:\n<b>no</b>\x1b[31m\u202eabc\u2028\u009b\xff größe \\"

const tamed = `rejected:\n<b>no</b>\x1b[31m\u202eabc\u2028\u009b\xff größe \`

// TestNotes: notes leave the agent ready. They are on /readyz, a line each, and on top of the page, and no text of them can
// be more than a text.
func TestNotes(t *testing.T) {
	var wrong error
	var notes []string
	s := &Server{Board: board(), Ready: func() error { return wrong }, Notes: func() []string { return notes }}
	if code, _, body := get(t, s, "GET", "/readyz"); code != 200 || body != "ok\n" {
		t.Errorf("without notes: %d %q", code, body)
	}
	if _, _, body := get(t, s, "GET", "/"); strings.Contains(body, `class="notes"`) {
		t.Error("the page has a box for no notes")
	}
	notes = []string{"the clock is behind", unruly}
	if code, _, body := get(t, s, "GET", "/readyz"); code != 200 || body != "ok\nthe clock is behind\n"+tamed+"\n" {
		t.Errorf("with notes: %d %q", code, body)
	}
	_, _, body := get(t, s, "GET", "/")
	_, box, found := strings.Cut(body, `<ul class="notes">`)
	box, _, _ = strings.Cut(box, "</ul>")
	want := "\n<li>the clock is behind</li>\n<li>" + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(tamed) + "</li>\n"
	if !found || box != want {
		t.Errorf("the page has %q, want %q", box, want)
	}
	if strings.Index(body, box) > strings.Index(body, "<table") {
		t.Error("the notes are not on top")
	}
	wrong = errors.New(unruly)
	if code, _, body := get(t, s, "GET", "/readyz"); code != 503 || body != "not ready: "+tamed+"\nthe clock is behind\n"+tamed+"\n" {
		t.Errorf("not ready: %d %q", code, body)
	}
}

package config

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Template is a probe for targets that are not known yet: an entry of the list of probes with placeholders, such as
//
//	name: chat of {{target.label.team}} at {{target.address}}
//	url: wss://{{target.address}}/socket
//	labels: {team: "{{target.label.team}}"}
//
// A placeholder {{target.NAME}} may stand in every value, but not in keys. NAME has letters, digits, dots, hyphens and
// underscores. Other text in double braces stays as it is, because it belongs to an exchange. A value with a
// placeholder is whatever its field wants, a number for instance, in quotes or not.
//
// A text of a target means itself. In a pattern its characters have no special meaning, and in an exchange nothing is
// filled into it. References are resolved when the template is read, so that a target cannot ask for one.
type Template struct {
	// Warnings are valid parts that can hardly be meant so, in the order of their places.
	Warnings []Fault

	report *yamltree.Report
	entry  *yaml.Node
	size   int
	mu     sync.Mutex // of files
	files  *tlsFiles
}

// ParseTemplate reads a template from the text of a file that has nothing else in it. Faults call the file by the name.
// The error is an [*Error] with everything that is wrong whatever the target is.
func ParseTemplate(name string, data []byte) (*Template, error) {
	r := yamltree.NewReport(name)
	entry := yamltree.Parse(r, data)
	if err := errorOf(r); err != nil {
		return nil, err
	}
	t := &Template{report: r, entry: entry, size: len(data), files: newTLSFiles()}
	unread := newTLSFiles()
	unread.unread = true
	checked, stoodIn := yamltree.Fill(r, entry, nil)
	t.read(checked, stoodIn, unread)
	if err := templateError(checked); err != nil {
		return nil, err
	}
	t.Warnings = withoutTemplate(published(checked.Warnings()))
	return t, nil
}

// Probe returns the probe for a target, whose texts the placeholders name: "address" is for {{target.address}}. The
// error is an [*Error] with the places in the template that are wrong for this target. Files of certificates are read
// once for all targets. Two targets can get probes of the same name. Several goroutines may call Probe.
func (t *Template) Probe(target map[string]string) (Probe, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, entry := yamltree.Fill(t.report, t.entry, func(name string, keys []string) (string, bool) {
		text, known := target[name]
		return literally(text, keys), known
	})
	p := t.read(r, entry, t.files)
	if err := templateError(r); err != nil {
		return Probe{}, err
	}
	return p, nil
}

// templateSection is how paths begin until they are reported: a template has no place in a larger file.
const templateSection = "template"

func (t *Template) read(r *yamltree.Report, entry *yaml.Node, files *tlsFiles) Probe {
	return newProbeReader(newReader(r, t.size), files).probe(entry, yamltree.Path{Section: templateSection})
}

// templateError returns what is wrong with a template.
func templateError(r *yamltree.Report) error {
	err := errorOf(r)
	var faults *Error
	if errors.As(err, &faults) {
		withoutTemplate(faults.Faults)
	}
	return err
}

// withoutTemplate takes the name of the section from the paths of faults.
func withoutTemplate(faults []Fault) []Fault {
	for i := range faults {
		faults[i].Path = strings.TrimPrefix(strings.TrimPrefix(faults[i].Path, templateSection), ".")
	}
	return faults
}

// literally returns a text of a target so that it means itself below these keys.
func literally(text string, keys []string) string {
	for len(keys) > 1 && keys[0] == "<<" {
		keys = keys[1:]
	}
	inSession := keys[0] == "session"
	filledIn := keys[0] == "exchange" || inSession && len(keys) > 1 && keys[1] == "heartbeat"
	switch last := keys[len(keys)-1]; {
	case last == "expect_pattern" && (filledIn || inSession || len(keys) == 1):
		return regexp.QuoteMeta(text)
	case filledIn:
		return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
	default:
		return text
	}
}

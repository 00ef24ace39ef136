package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// errTooMany ends the reading of a list that is longer than max_targets.
var errTooMany = errors.New("more than max_targets targets")

// decodeJSON reads a list of target groups as Prometheus does: an unknown key and a label that is no text are errors.
// Unlike Prometheus it refuses a key that is there twice. It keeps no more than the targets of the list, so a list
// without an end costs no memory. Each group has the labels of about besides.
func decodeJSON(r io.Reader, most int, about map[string]string) ([]Target, error) {
	d := &jsonDecoder{Decoder: json.NewDecoder(r), list: list{most: most}, about: about}
	if err := d.groups(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the JSON ends too early")
		}
		if errors.Is(err, errTooMany) {
			return nil, err
		}
		return nil, fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
	}
	return d.list.sorted(), nil
}

type jsonDecoder struct {
	*json.Decoder
	list  list
	about map[string]string
}

// groups reads the whole document.
func (d *jsonDecoder) groups() error {
	null, err := d.open('[', "a list of groups")
	if err != nil {
		return err
	}
	for !null && d.More() {
		null, err := d.open('{', "a group with targets and labels")
		if err != nil {
			return err
		}
		if null {
			return errors.New("a group is null")
		}
		if err := d.group(); err != nil {
			return err
		}
	}
	if !null {
		if _, err := d.Token(); err != nil { // the end of the list
			return err
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more text behind the list")
	}
	return nil
}

// group reads one group behind its brace.
func (d *jsonDecoder) group() error {
	var addresses []string
	var labels map[string]string
	var hasTargets, hasLabels bool
	for d.More() {
		key, err := d.key()
		if err != nil {
			return err
		}
		switch {
		case strings.EqualFold(key, "targets") && !hasTargets: // as encoding/json, which Prometheus reads with
			hasTargets = true
			addresses, err = d.addresses()
		case strings.EqualFold(key, "labels") && !hasLabels:
			hasLabels = true
			labels, err = d.labels()
		case strings.EqualFold(key, "targets"), strings.EqualFold(key, "labels"):
			err = fmt.Errorf("%q is there twice", excerpt.Of(key))
		default:
			err = fmt.Errorf("unknown key %q: a group has targets and labels", excerpt.Of(key))
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	return d.list.addGroup(addresses, labels, d.about)
}

// addresses reads the value of targets. It gives up as soon as there are too many.
func (d *jsonDecoder) addresses() ([]string, error) {
	null, err := d.open('[', "a list of addresses")
	if err != nil || null {
		return nil, err
	}
	var addresses []string
	for d.More() {
		address, err := d.text("a target")
		if err != nil {
			return nil, err
		}
		if d.list.full(len(addresses) + 1) {
			return nil, errTooMany
		}
		addresses = append(addresses, address)
	}
	_, err = d.Token()
	return addresses, err
}

// labels reads the value of labels.
func (d *jsonDecoder) labels() (map[string]string, error) {
	null, err := d.open('{', "a mapping of labels")
	if err != nil || null {
		return nil, err
	}
	labels := make(map[string]string)
	size := 0
	for d.More() {
		name, err := d.key()
		if err != nil {
			return nil, err
		}
		value, err := d.text(fmt.Sprintf("the label %q", excerpt.Of(name)))
		if err != nil {
			return nil, err
		}
		if _, twice := labels[name]; twice {
			return nil, fmt.Errorf("the label %q is there twice", excerpt.Of(name))
		}
		if name == "" {
			return nil, errors.New("a label has no name")
		}
		if size += len(name) + len(value); size > maxTarget {
			return nil, fmt.Errorf("the labels of a group have more than %d bytes", maxTarget)
		}
		labels[name] = value
	}
	_, err = d.Token()
	return labels, err
}

// open reads the beginning of a list or of a mapping, or null.
func (d *jsonDecoder) open(want json.Delim, wanted string) (null bool, err error) {
	token, err := d.Token()
	switch {
	case err != nil:
		return false, err
	case token == nil:
		return true, nil
	case token != want:
		return false, fmt.Errorf("%s is wanted, and not %s", wanted, kind(token))
	}
	return false, nil
}

// key reads the key of a mapping. The decoder lets nothing but a text stand there.
func (d *jsonDecoder) key() (string, error) {
	token, err := d.Token()
	key, _ := token.(string)
	return key, err
}

// text reads a text. null is the empty one, as in Prometheus.
func (d *jsonDecoder) text(wanted string) (string, error) {
	switch token, err := d.Token(); token := token.(type) {
	case string:
		return token, nil
	case nil:
		return "", err
	default:
		return "", fmt.Errorf("%s must be a text, and not %s", wanted, kind(token))
	}
}

// kind names the kind of a value of JSON.
func kind(token json.Token) string {
	switch token {
	case json.Delim('['):
		return "a list"
	case json.Delim('{'):
		return "a mapping"
	}
	switch token.(type) {
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	}
	return "a text"
}

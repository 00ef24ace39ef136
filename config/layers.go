package config

// layers are what a probe says about the fields of a section, over what the defaults block says about them.
type layers struct {
	said    *found // by the defaults block
	got     *found // by the probe at hand
	partial bool   // parts of the probe at hand could not be read
}

func newLayers(fields int) layers { return layers{said: newFound(fields), got: newFound(fields)} }

// own reports whether the probe at hand says something about a field itself.
func (l *layers) own(i int) bool { return l.got.pairs[i].present() }

// faulty reports whether what holds for the probe at hand, its own value or the default, is wrong by itself, or
// unknown because its key is misspelled.
func (l *layers) faulty(i int) bool {
	if l.own(i) {
		return l.got.faulty[i]
	}
	return l.partial || l.got.meant[i] || l.said.faulty[i] || l.said.meant[i]
}

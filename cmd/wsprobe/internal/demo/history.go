package demo

// step is a block of the history: it stands for latencies below a bound.
type step struct {
	below float64 // ms
	block string
	label string
}

// failure is the sign of a failed run in the history.
const failure = "×"

// steps are on a scale that is the same for all endpoints and always: a scale of each row's own would make a
// tenth of a millisecond look like a mountain.
func steps() []step {
	return []step{
		{1, "▁", "<1 ms"}, {5, "▂", "<5"}, {20, "▃", "<20"}, {100, "▅", "<100"}, {0, "▇", "more"},
	}
}

// block draws a latency.
func block(ms float64) string {
	all := steps()
	for _, s := range all[:len(all)-1] {
		if ms < s.below {
			return s.block
		}
	}
	return all[len(all)-1].block
}

// history draws runs, oldest first, in a column. New runs come in at the right edge.
func history(runs []run, width int) line {
	l := line{{pad(width - len(runs)), plain}}
	for _, r := range runs {
		switch v := r.headline(); {
		case r.reason != reasonOK:
			l = l.join(span{failure, bad})
		case v.ok:
			l = l.join(span{block(v.ms), good})
		default:
			l = l.join(span{" ", plain}) // no latency came, so none is shown
		}
	}
	return l
}

// join appends a span, to the last one if that has the same tone.
func (l line) join(s span) line {
	if n := len(l); n > 0 && l[n-1].tone == s.tone {
		l[n-1].text += s.text
		return l
	}
	return append(l, s)
}

// legend explains the history.
func legend() line {
	l := line{{"history: ", quiet}}
	for _, s := range steps() {
		l = append(l, span{s.block, good}, span{" " + s.label + "  ", quiet})
	}
	return append(l, span{failure, bad}, span{" failed", quiet})
}

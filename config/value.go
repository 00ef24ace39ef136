package config

import (
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/session"
)

// value is the place in a T where a field is kept, and how it is understood and hashed there.
type value[T any] struct {
	// at returns a pointer to the place. It is nil for a Section, which is read by itself.
	at func(*T) any
	// store understands a text and puts it into its place. It returns what is wrong with the text, or nothing; the
	// place is then untouched. The text may come from a file, a variable or the table of fields. Lists and maps have
	// none.
	store func(into *T, f *Field, text string) (problem string)
	// digest adds what is in the place to a digest. The path is that of a reference to it.
	digest func(d *digester, from *T, path string)
	// copy takes over what another T has in the place.
	copy func(into, from *T)
}

// kept reports whether the field has a place in a T.
func (v value[T]) kept() bool { return v.at != nil }

// collection is a value that is read from a list or a map.
func collection[T, V any](at func(*T) *V, digest func(d *digester, v V, path string)) value[T] {
	return value[T]{
		at:     func(t *T) any { return at(t) },
		digest: func(d *digester, from *T, path string) { digest(d, *at(from), path) },
		copy:   func(into, from *T) { *at(into) = *at(from) },
	}
}

// scalar is a value of one text. parse returns the value that a text stands for, or what is wrong with the text.
func scalar[T, V any](at func(*T) *V, parse func(f *Field, text string) (V, string),
	digest func(d *digester, v V, path string)) value[T] {
	v := collection(at, digest)
	v.store = func(into *T, f *Field, text string) string {
		parsed, problem := parse(f, text)
		if problem == "" {
			*at(into) = parsed
		}
		return problem
	}
	return v
}

// undigested is a value that makes no other probe of a probe.
func undigested[T any](v value[T]) value[T] {
	v.digest = func(*digester, *T, string) {}
	return v
}

// textAt is a value that is the text itself, which check looks at, unless it is nil.
func textAt[T any](at func(*T) *string, check func(string) string) value[T] {
	parse := func(f *Field, text string) (string, string) { return text, textProblem(f, check, text) }
	return scalar(at, parse, (*digester).addSecret)
}

// optionalTextAt is a text that may be absent, which is not the same as empty.
func optionalTextAt[T any](at func(*T) **string) value[T] {
	parse := func(f *Field, text string) (*string, string) { return &text, textProblem(f, nil, text) }
	return scalar(at, parse, func(d *digester, text *string, path string) {
		if d.addBool(text != nil); text != nil {
			d.addSecret(*text, path)
		}
	})
}

// lifted is a field of a U as one of a T, in which the U stands.
func lifted[T, U any](f field[U], at func(*T) *U) field[T] {
	inner := f.value
	out := field[T]{Field: f.Field, secret: f.secret, spec: f.spec, entry: f.entry, fold: f.fold}
	if !inner.kept() {
		return out
	}
	out.value = value[T]{
		at:     func(t *T) any { return inner.at(at(t)) },
		digest: func(d *digester, from *T, path string) { inner.digest(d, at(from), path) },
		copy:   func(into, from *T) { inner.copy(at(into), at(from)) },
	}
	if inner.store != nil {
		out.value.store = func(into *T, f *Field, text string) string { return inner.store(at(into), f, text) }
	}
	return out
}

// wordAt is one of the words that a Choice allows.
func wordAt[T any, S ~string](at func(*T) *S) value[T] {
	return scalar(at, func(f *Field, text string) (S, string) { return S(text), choiceProblem(f, text) },
		func(d *digester, word S, _ string) { d.addText(string(word)) })
}

// choiceAt is wordAt where other programs have other words. advice says by such a word what to write.
func choiceAt[T any](at func(*T) *string, advice map[string]string) value[T] {
	return scalar(at, func(f *Field, text string) (string, string) {
		problem := choiceProblem(f, text)
		if told := advice[strings.ToLower(text)]; problem != "" && told != "" {
			problem = fmt.Sprintf("must be one of %s, got %s%s", strings.Join(f.Allowed, ", "), excerpt.Quote(text), told)
		}
		return text, problem
	}, func(d *digester, word string, _ string) { d.addText(word) })
}

// levelAt is a word that names the severity of log records.
func levelAt[T any](at func(*T) *slog.Level) value[T] {
	parse := func(f *Field, text string) (level slog.Level, problem string) {
		if problem = choiceProblem(f, text); problem == "" {
			problem = problemOf(level.UnmarshalText([]byte(text)))
		}
		return level, problem
	}
	return scalar(at, parse, func(d *digester, level slog.Level, _ string) { d.addNumber(int64(level)) })
}

func boolAt[T any](at func(*T) *bool) value[T] {
	return scalar(at, func(_ *Field, text string) (bool, string) { return parseBool(text) },
		func(d *digester, b bool, _ string) { d.addBool(b) })
}

// ratioAt is a number from 0 to 1.
func ratioAt[T any](at func(*T) *float64) value[T] {
	return scalar(at, func(_ *Field, text string) (float64, string) { return parseRatio(text) },
		func(d *digester, n float64, _ string) { d.addNumber(int64(math.Float64bits(n))) })
}

func integerAt[T any, N int | int64](at func(*T) *N) value[T] {
	return numberAt(at, parseInteger)
}

// sizeAt is a number of bytes.
func sizeAt[T any](at func(*T) *int64) value[T] { return numberAt(at, parseSize) }

func numberAt[T any, N int | int64](at func(*T) *N, parse func(f *Field, text string) (int64, string)) value[T] {
	return scalar(at, func(f *Field, text string) (N, string) { n, problem := parse(f, text); return N(n), problem },
		func(d *digester, n N, _ string) { d.addNumber(int64(n)) })
}

// durationAt is a time, in milliseconds or with a unit.
func durationAt[T any](at func(*T) *time.Duration) value[T] {
	return scalar(at, parseTime, func(d *digester, n time.Duration, _ string) { d.addNumber(int64(n)) })
}

func conditionAt[T any](at func(*T) *health.Condition) value[T] {
	return scalar(at, parseCondition, func(d *digester, c health.Condition, _ string) {
		d.addText(string(c.Operator))
		d.addNumber(int64(math.Float64bits(c.Bound)))
	})
}

// proxyAt is the URL of a proxy.
func proxyAt[T any](at func(*T) **url.URL) value[T] {
	return scalar(at, func(_ *Field, text string) (*url.URL, string) { return parseProxy(text) }, (*digester).addProxy)
}

func endpointAt[T any](at func(*T) *Endpoint) value[T] {
	return scalar(at, func(_ *Field, text string) (Endpoint, string) { return parseEndpoint(text) },
		func(d *digester, e Endpoint, _ string) { d.addText(e.URL()) })
}

func listAt[T any](at func(*T) *[]string) value[T] { return collection(at, (*digester).addList) }

func mapAt[T any](at func(*T) *map[string]string) value[T] {
	return collection(at, func(d *digester, m map[string]string, path string) { addMap(d, m, path, (*digester).addSecret) })
}

func valuesAt[T any](at func(*T) *map[string]any) value[T] {
	return collection(at, func(d *digester, m map[string]any, path string) { addMap(d, m, path, (*digester).addJSON) })
}

func stepsAt[T any](at func(*T) *[]probe.Step) value[T] { return collection(at, (*digester).addSteps) }

func answersAt[T any](at func(*T) *[]session.Answer) value[T] {
	return collection(at, (*digester).addAnswers)
}

func heartbeatAt[T any](at func(*T) **session.Heartbeat) value[T] {
	return collection(at, (*digester).addHeartbeat)
}

func reconnectAt[T any](at func(*T) *session.Reconnect) value[T] {
	return collection(at, (*digester).addReconnect)
}

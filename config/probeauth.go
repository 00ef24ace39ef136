package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// authReader reads the mapping auth of the defaults block and of the probes.
type authReader struct {
	nested[authSettings]
	effective authSettings // of the probe at hand
	plain     authSettings // of a probe without
}

func newAuthReader(r *reader) *authReader {
	n := newNested(r, authSection)
	return &authReader{nested: n, plain: n.base}
}

// authFields are the fields that a strategy uses.
var authFields = map[string][]string{
	authNone:   {"strategy"},
	authBasic:  {"strategy", "user", "password", "password_file"},
	authBearer: {"strategy", "token", "token_file"},
	authOAuth2: {"strategy", "token_url", "client_id", "client_secret", "client_secret_file", "scopes", "audience", "client_auth"},
}

// defaults reads the mapping of the defaults block, and reports the problems that no probe can solve.
func (a *authReader) defaults(p yamltree.Pair, where yamltree.Path) authorizer {
	if !a.nested.defaults(p, where) {
		return nil
	}
	a.reportAll(slices.DeleteFunc(a.findings(a.base.strategy), func(f finding) bool { return f.missing }))
	return a.base.authorize(a.substituted, a.tokens)
}

// probe reads the mapping of a probe over that of the defaults block, and sets the fields of its Spec. An Authorization
// of the probe, by auth or by a header, replaces a default of the other kind.
func (a *authReader) probe(p yamltree.Pair, where yamltree.Path, probe, base *Probe) {
	if a.effective = a.plain; a.absent(p) {
		a.nested.probe(p, where, &a.effective)
		return
	}
	settings := a.plain
	own := a.nested.probe(p, where, &settings)
	header, inherited := authorization(probe.Spec.Headers), authorization(base.Spec.Headers)
	ownHeader := header != "" && (header != inherited || probe.Spec.Headers[header] != base.Spec.Headers[header])
	if !own && (ownHeader || !a.inherits()) {
		return
	}
	for i := range authSection.fields {
		if f := &authSection.fields[i]; !a.sets(i) && a.inheritsField(i) {
			f.value.copy(&settings, &a.base)
		}
	}
	a.reportAll(a.findings(settings.strategy))
	if probe.Spec.Authorize = settings.authorize(a.substituted, a.tokens); probe.Spec.Authorize != nil {
		probe.authAt, a.effective = a.place(), settings
	}
	a.waitForTokens(settings.strategy, &probe.Spec)
	a.doubtTokenURL(&settings)
	if own && settings.strategy != authNone && header != "" && !ownHeader {
		probe.Spec.Headers = maps.Clone(probe.Spec.Headers)
		delete(probe.Spec.Headers, header)
	}
}

// authorization returns the name of the header Authorization as it is written, or nothing.
func authorization(headers map[string]string) string {
	for name := range headers {
		if strings.EqualFold(name, "Authorization") {
			return name
		}
	}
	return ""
}

// inheritsField reports whether a field of the defaults block holds for the probe at hand, unless the probe sets it. A
// strategy of its own discards the default one, and a secret replaces the default file of a secret.
func (a *authReader) inheritsField(i int) bool {
	key := authSection.fields[i].Key()
	twin, isFile := strings.CutSuffix(key, "_file")
	if !isFile {
		twin = key + "_file"
	}
	j, paired := authSection.index[twin]
	return a.inherited.pairs[i].Present() && !a.setsKey("strategy") && !(paired && a.sets(j))
}

// substituted reports whether the value that holds for the field of this key was substituted.
func (a *authReader) substituted(key string) bool {
	i := authSection.index[key]
	p := a.set.pairs[i]
	if !p.Present() && a.inheritsField(i) {
		p = a.inherited.pairs[i]
	}
	return p.Present() && a.Substituted(p.Value)
}

// has reports whether the field of this key is set for the probe at hand.
func (a *authReader) has(key string) bool {
	i := authSection.index[key]
	return a.sets(i) || a.inheritsField(i)
}

// findings checks the fields against the strategy.
func (a *authReader) findings(strategy string) []finding {
	if a.faultyKey("strategy") {
		return nil
	}
	var found []finding
	stray := "is not allowed with strategy " + strategy
	if !a.has("strategy") {
		stray = "needs a strategy: basic, bearer or oauth2"
	}
	for i := range authSection.fields {
		if key := authSection.fields[i].Key(); a.has(key) && !slices.Contains(authFields[strategy], key) {
			found = append(found, finding{key: key, problem: stray})
		}
	}
	switch strategy {
	case authBasic:
		if !a.has("user") && !a.faultyKey("user") {
			found = append(found, finding{"user", "is required with strategy basic", true})
		}
		found = append(found, a.either(strategy, "password")...)
	case authBearer:
		found = append(found, a.either(strategy, "token")...)
	case authOAuth2:
		found = append(found, a.oauth2Findings()...)
	}
	return found
}

// either checks that a secret is given in exactly one way: itself, or by its file.
func (a *authReader) either(strategy, key string) []finding {
	file := key + "_file"
	switch here, there := a.has(key), a.has(file); {
	case here && there:
		return []finding{{key: file, problem: "is not allowed beside " + key}}
	case !here && !there && !a.faultyKey(key) && !a.faultyKey(file):
		return []finding{{key, "is required with strategy " + strategy + ", or " + file, true}}
	}
	return nil
}

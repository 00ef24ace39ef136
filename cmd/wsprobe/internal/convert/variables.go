package convert

import (
	"regexp"
	"strings"
)

// dialect turns the references of a program into those of wsprobe.
type dialect struct {
	reference *regexp.Regexp
	// resolve returns what stands in place of a reference, and what is to be said about that. It is given the groups of
	// the expression.
	resolve func(groups []string) (replacement, remark string)
}

// translate returns a text with the references of wsprobe. Everything else stays a text for it, "${" included.
func (d dialect) translate(value string) (translated string, remarks []string) {
	var b strings.Builder
	literal := func(part string) { b.WriteString(strings.ReplaceAll(part, "${", "$${")) }
	rest := 0
	for _, at := range d.reference.FindAllStringSubmatchIndex(value, -1) {
		literal(value[rest:at[0]])
		rest = at[1]
		groups := make([]string, len(at)/2)
		for i := range groups {
			if at[2*i] >= 0 {
				groups[i] = value[at[2*i]:at[2*i+1]]
			}
		}
		replacement, remark := d.resolve(groups)
		b.WriteString(replacement)
		if remark != "" {
			remarks = append(remarks, remark)
		}
	}
	literal(value[rest:])
	return b.String(), remarks
}

// referring reports whether a translated text depends on a variable or a file.
func referring(translated string) bool {
	return strings.Contains(strings.ReplaceAll(translated, "$${", ""), "${")
}

// plain is the text that a translated one without references stands for.
func plain(translated string) string { return strings.ReplaceAll(translated, "$${", "${") }

// variableName is a name that ${env:} takes.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variable refers to a variable of the environment.
func variable(name string) (replacement, remark string) {
	if variableName.MatchString(name) {
		return "${env:" + name + "}", ""
	}
	spelled := spell(name)
	return "${env:" + spelled + "}", "the variable must be called " + spelled + ": letters, digits and _ make a name"
}

// spell makes a name of a variable of any text.
func spell(name string) string {
	spelled := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			return r
		}
		return '_'
	}, name)
	if spelled == "" || '0' <= spelled[0] && spelled[0] <= '9' {
		spelled = "_" + spelled
	}
	return spelled
}

// vectorVariables are the references of Vector: $NAME, ${NAME}, those with a default or a complaint, $$, and secrets of
// a backend.
var vectorVariables = dialect{
	regexp.MustCompile(`\$\$|\$([\w.]+)|\$\{([\w.]+)(?:(:?-|:?\?)[^}]*)?\}|SECRET\[(\w+\.[^\]]+)\]`), shellVariable,
}

// telegrafVariables are the references of Telegraf: those of a shell, and secrets of a store.
var telegrafVariables = dialect{
	regexp.MustCompile(`\$([A-Za-z_]\w*)|\$\{(\w+)(?:(:?-|:?\?)[^}]*)?\}|@\{(\w+:\w+)\}`), shellVariable,
}

// shellVariable resolves a name, one in braces, a mark of a default behind it, and a secret of a store.
func shellVariable(groups []string) (string, string) {
	switch {
	case groups[0] == "$$":
		return "$", ""
	case groups[4] != "":
		name := strings.ToUpper(spell(groups[4]))
		return "${env:" + name + "}", "wsprobe reads no store of secrets: put the secret into the variable " + name +
			", or name a file with ${file:PATH}"
	}
	replacement, remark := variable(groups[1] + groups[2])
	if strings.HasSuffix(groups[3], "-") {
		name := strings.TrimSuffix(strings.TrimPrefix(replacement, "${env:"), "}")
		remark = "a variable has no default in wsprobe: " + name + " must be set"
	}
	return replacement, remark
}

// fluentBitVariables are the references of Fluent Bit. Those that the file itself sets are filled in.
func fluentBitVariables(set map[string]string) dialect {
	return dialect{
		regexp.MustCompile(`\$\{([^}]+)\}`),
		func(groups []string) (string, string) {
			if value, found := set[groups[1]]; found {
				return strings.ReplaceAll(value, "${", "$${"), ""
			}
			return variable(groups[1])
		},
	}
}

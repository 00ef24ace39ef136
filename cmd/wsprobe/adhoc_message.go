package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// maxInput bounds what is read for one flag: more than any message, written as hexadecimal digits.
const maxInput = 1 << 20

// messageFlags say what is sent and expected.
type messageFlags struct {
	send, expect, expectPattern string
	expectJSON                  []string
	exchange                    string
	hex, base64, binary         bool
}

func (m *messageFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&m.send, "send", "", "`message` to send, or @file, or - for standard input; measures the round trip. A text that begins with @ "+
		"is written as @@. The last line break of a file is left out, but with --binary")
	flags.StringVar(&m.expect, "expect", "", "`text` that the reply must contain (default any reply)")
	flags.StringVar(&m.expectPattern, "expect-pattern", "", "regular `expression` (RE2) that the reply must match")
	flags.StringArrayVar(&m.expectJSON, "expect-json", nil, "`path=value` that must hold in a JSON reply, data.0.id=7 or "+
		"op=pong; a number as text is 'id=\"7\"'; may be repeated")
	flags.BoolVar(&m.hex, "hex", false, "messages are bytes, written as hexadecimal digits")
	flags.BoolVar(&m.base64, "base64", false, "messages are bytes, written as base64")
	flags.BoolVar(&m.binary, "binary", false, "messages are bytes, written as they are")
	flags.StringVar(&m.exchange, "exchange", "", "YAML or JSON `file` with the steps of an exchange, as the field exchange of a probe")
}

// fill says in a Spec what is sent and expected.
func (m *messageFlags) fill(cmd *cobra.Command, spec *probe.Spec, in *input) error {
	spec.Expect, spec.ExpectPattern = m.expect, m.expectPattern
	formats := 0
	for _, given := range []bool{m.hex, m.base64, m.binary} {
		if given {
			formats++
		}
	}
	switch {
	case formats > 1:
		return errors.New("--hex, --base64 and --binary: give one of them")
	case m.binary && m.exchange != "":
		return errors.New("--binary: does not go with --exchange, whose messages are text: write them as --hex or --base64")
	case m.hex:
		spec.MessageFormat = probe.FormatHex
	case m.base64 || m.binary:
		spec.MessageFormat = probe.FormatBase64
	}
	if err := m.fillJSON(spec); err != nil {
		return err
	}
	if cmd.Flags().Changed("exchange") {
		var err error
		if spec.Exchange, spec.Secrets, err = config.LoadExchange(m.exchange); err != nil {
			return err
		}
	}
	if !cmd.Flags().Changed("send") {
		return nil
	}
	message, err := in.bytes("--send", m.send, m.binary)
	if err != nil {
		return err
	}
	m.send = string(message) // the messages ask whether it is empty
	if spec.Send = m.send; m.binary {
		spec.Send, spec.Expect = base64.StdEncoding.EncodeToString(message), base64.StdEncoding.EncodeToString([]byte(m.expect))
	}
	return nil
}

// fillJSON reads path=value.
func (m *messageFlags) fillJSON(spec *probe.Spec) error {
	for i, fact := range m.expectJSON {
		path, text, ok := cutPath(fact)
		if !ok || path == "" {
			return fmt.Errorf("--expect-json number %d: must be path=value", i+1)
		}
		if spec.ExpectJSON == nil {
			spec.ExpectJSON = make(map[string]any)
		}
		if _, twice := spec.ExpectJSON[path]; twice {
			return fmt.Errorf("--expect-json %q: given twice", path)
		}
		value, err := jsonScalar(text)
		if err != nil {
			return fmt.Errorf("--expect-json %q: %w", path, err)
		}
		spec.ExpectJSON[path] = value
	}
	return nil
}

// cutPath divides a fact at its first = that is not in the parentheses of a query, such as items.#(id=="7").op=pong.
func cutPath(fact string) (path, value string, ok bool) {
	depth := 0
	for i := range len(fact) {
		switch c := fact[i]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '=' && depth == 0:
			return fact[:i], fact[i+1:], true
		}
	}
	return strings.Cut(fact, "=")
}

// jsonScalar is a value as JSON has it, or else a text.
func jsonScalar(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return text, nil
	}
	switch value.(type) {
	case map[string]any, []any:
		return nil, errors.New("must be text, a number, true, false or null: name a path that leads deeper")
	default:
		return value, nil
	}
}

// input is where flags read what does not stand on the command line.
type input struct {
	from io.Reader
	used string // the flag that has read standard input
}

// bytes is what the value of a flag stands for: itself, a file, or standard input. If these are not to be taken as they are,
// their last line break is not in it, as with a shell's $(...).
func (in *input) bytes(flag, value string, asIs bool) ([]byte, error) {
	all, err := in.read(flag, value)
	if given := value != "-" && !strings.HasPrefix(value, "@") || strings.HasPrefix(value, "@@"); !asIs && !given {
		all = bytes.TrimSuffix(bytes.TrimSuffix(all, []byte("\n")), []byte("\r"))
	}
	return all, err
}

func (in *input) read(flag, value string) ([]byte, error) {
	switch {
	case strings.HasPrefix(value, "@@"):
		return []byte(value[1:]), nil
	case value == "-" || value == "@-":
		if in.used != "" {
			return nil, fmt.Errorf("%s: standard input goes to %s already", flag, in.used)
		}
		in.used = flag
		return limited(flag, "standard input", in.from)
	case strings.HasPrefix(value, "@"):
		file, err := os.Open(value[1:])
		if err != nil {
			var cause *os.PathError
			if errors.As(err, &cause) {
				err = cause.Err
			}
			return nil, fmt.Errorf("%s: cannot read %q: %w; a text that begins with @ is written as @@", flag, value[1:], err)
		}
		defer file.Close()
		return limited(flag, fmt.Sprintf("%q", value[1:]), file)
	default:
		return []byte(value), nil
	}
}

func limited(flag, what string, from io.Reader) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: cannot read %s: %w", flag, what, err)
	case len(all) > maxInput:
		return nil, fmt.Errorf("%s: %s is longer than %d bytes", flag, what, maxInput)
	}
	return all, nil
}

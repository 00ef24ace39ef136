package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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

// messageHelp says what messages are for, in the help of the flags.
type messageHelp struct{ send, expect, expectPattern, expectJSON string }

func (m *messageFlags) register(flags *pflag.FlagSet, help messageHelp) {
	flags.StringVar(&m.send, "send", "", help.send+". A text that begins with @ "+
		"is written as @@. The last line break of a file is left out, but with --binary")
	flags.StringVar(&m.expect, "expect", "", help.expect)
	flags.StringVar(&m.expectPattern, "expect-pattern", "", help.expectPattern)
	flags.StringArrayVar(&m.expectJSON, "expect-json", nil, help.expectJSON)
	flags.BoolVar(&m.hex, "hex", false, "messages are bytes, written as hexadecimal digits")
	flags.BoolVar(&m.base64, "base64", false, "messages are bytes, written as base64")
	flags.BoolVar(&m.binary, "binary", false, "messages are bytes, written as they are")
	flags.StringVar(&m.exchange, "exchange", "", "YAML or JSON `file` with the steps of an exchange, as the field exchange of a probe")
}

// fill says in a Spec what is sent and expected.
func (m *messageFlags) fill(cmd *cobra.Command, spec *probe.Spec, in *input) error {
	spec.Expect, spec.ExpectPattern = m.written(m.expect), m.expectPattern
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
	var err error
	if spec.ExpectJSON, err = jsonFacts("--expect-json", m.expectJSON); err != nil {
		return err
	}
	if cmd.Flags().Changed("exchange") {
		headline := probe.RoundTripLatency
		if slices.Contains(probe.Interpretations(), spec.Interpretation) {
			headline = spec.Interpretation
		}
		if spec.Exchange, spec.Secrets, err = config.LoadExchange(m.exchange, headline); err != nil {
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
	spec.Send = m.written(m.send)
	return nil
}

// written is a text of a flag in the format of the Spec.
func (m *messageFlags) written(text string) string {
	if m.binary {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

// jsonFacts reads path=value from a flag that may be repeated.
func jsonFacts(flag string, facts []string) (map[string]any, error) {
	var all map[string]any
	for i, fact := range facts {
		path, text, ok := cutPath(fact)
		if !ok || path == "" {
			return nil, fmt.Errorf("%s number %d: must be path=value", flag, i+1)
		}
		if all == nil {
			all = make(map[string]any)
		}
		if _, twice := all[path]; twice {
			return nil, fmt.Errorf("%s %q: given twice", flag, path)
		}
		value, err := jsonScalar(text)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", flag, path, err)
		}
		all[path] = value
	}
	return all, nil
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

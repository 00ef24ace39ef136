package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/convert"
	"github.com/wsprobe/wsprobe/probe/visible"
)

// maxForeign is how many bytes a file of another program may have.
const maxForeign = 16 << 20

func newConvertCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "convert vector|fluent-bit|telegraf FILE...",
		Short: "Turn WebSocket outputs of other programs into streams",
		Long: "Turn WebSocket outputs of Vector, Fluent Bit and Telegraf into streams.\n\n" +
			"It reads every sink of type websocket of Vector (TOML, YAML, JSON), or every\n" +
			"output websocket of Fluent Bit (classic, YAML) and of what its files include,\n" +
			"or of Telegraf (TOML). Standard output gets the section streams of a\n" +
			"configuration. Standard error gets a line with its place for all that is left\n" +
			"out or changes meaning.",
		Example: "  wsprobe convert vector /etc/vector/vector.yaml > streams.yaml\n" +
			"  wsprobe convert fluent-bit fluent-bit.conf\n" +
			"  wsprobe convert vector --format toml - < vector.toml",
		SuggestFor: []string{"import", "migrate", "translate"},
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				return errors.New("convert takes the name of a program, vector, fluent-bit or telegraf, and its files")
			case converters[args[0]] == nil:
				return fmt.Errorf("convert reads files of vector, fluent-bit or telegraf, not of %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd, converters[args[0]], args[1:], format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "`format` of the files: toml, yaml, json or conf (default that of the extension)")
	return cmd
}

// converter turns the files of one program into streams.
type converter func([]convert.Source) (convert.Result, error)

// converters are by the names of their programs.
var converters = map[string]converter{
	"vector":     convert.Vector,
	"fluent-bit": fluentBit,
	"fluentbit":  fluentBit,
	"telegraf":   convert.Telegraf,
}

func fluentBit(files []convert.Source) (convert.Result, error) {
	return convert.FluentBit(files, openIncluded)
}

// runConvert converts the files and prints the result, or one fault.
func runConvert(cmd *cobra.Command, turn converter, names []string, format string) error {
	var sources []convert.Source
	for _, name := range names {
		data, err := readForeign(name, cmd.InOrStdin())
		if err != nil {
			return toldFault(cmd, fmt.Errorf("%s: %w", shownName(name), err))
		}
		sources = append(sources, convert.Source{Name: shownName(name), Format: format, Data: data})
	}
	result, err := turn(sources)
	if err != nil {
		return toldFault(cmd, err)
	}
	for _, note := range result.Notes {
		fmt.Fprintln(cmd.ErrOrStderr(), visible.Text(note.String()))
	}
	if _, err := cmd.OutOrStdout().Write(result.YAML); err != nil {
		return failure{err}
	}
	return nil
}

// toldFault tells of a fault of a file, which ends the command as one of a configuration.
func toldFault(cmd *cobra.Command, err error) error {
	fmt.Fprintln(cmd.ErrOrStderr(), visible.Text(err.Error()))
	return errFaulty
}

// shownName is how messages call a file.
func shownName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// readForeign reads a file of another program, or standard input for a dash.
func readForeign(name string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, cause(err)
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxForeign+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(data) > maxForeign:
		return nil, errors.New("is longer than 16 MiB")
	}
	return data, nil
}

// cause is an error of a file without its path, which the message has already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// openIncluded reads the files that another one includes, which are named from where that is.
func openIncluded(from, pattern string) ([]convert.Source, error) {
	if !filepath.IsAbs(pattern) && from != shownName("-") {
		pattern = filepath.Join(filepath.Dir(from), pattern)
	}
	names := []string{pattern}
	if strings.Contains(pattern, "*") {
		var err error
		if names, err = filepath.Glob(pattern); err != nil || len(names) == 0 {
			return nil, fmt.Errorf("%s: no such files", pattern)
		}
	}
	var files []convert.Source
	for _, name := range names {
		data, err := readForeign(name, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, convert.Source{Name: name, Data: data})
	}
	return files, nil
}

package main

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate is how a command shows what it takes, no wider than a terminal of 80 columns.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

{{.CommandPath}} COMMAND --help says more about a command.{{end}}
`

// newHelpCommand is cobra's, but for an unknown command, which is as wrong here as anywhere else.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about a command",
		RunE: func(help *cobra.Command, args []string) error {
			about, rest, err := help.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(help.Root(), args[0])
			}
			return about.Help()
		},
	}
}

// helpOn is the command line that helps with a command. The help command itself has nothing to tell.
func helpOn(cmd *cobra.Command) string {
	if !cmd.IsAvailableCommand() {
		cmd = cmd.Root()
	}
	return cmd.CommandPath() + " --help"
}

// flagError says what is wrong with the value of a flag in words of ours where they would be those of package strconv.
func flagError(_ *cobra.Command, err error) error {
	var cause *strconv.NumError
	if !errors.As(err, &cause) {
		return err
	}
	want := "must be a whole number"
	if cause.Func == "ParseBool" {
		want = "must be true or false"
	}
	return errors.New(strings.Replace(err.Error(), cause.Error(), want, 1))
}

// output is standard output. It keeps its first error, for cobra shows help and version without a look at it.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

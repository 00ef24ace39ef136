package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/shape"
)

func newSchemaCommand() *cobra.Command {
	var schema []byte
	return &cobra.Command{
		Use:   "schema config|event",
		Short: "Print the JSON Schema of a configuration, or of an event",
		Example: "  wsprobe schema config > wsprobe.schema.json\n" +
			"  wsprobe schema event",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "config" {
				schema = config.Schema()
			}
			if len(args) == 1 && args[0] == "event" {
				schema = shape.Schema()
			}
			if schema == nil {
				return errors.New("schema takes config or event")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := cmd.OutOrStdout().Write(schema); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}

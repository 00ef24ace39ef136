package main

import (
	"github.com/spf13/cobra"
)

func newDemoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show everything in one process: endpoints good and faulty, the agent, a back end",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return failure{runDemo(cmd)} },
	}
}

func runDemo(*cobra.Command) error { return nil }

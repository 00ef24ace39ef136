package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// Defaults of `target`: a port beside that of the status page, and an answer that many probes look for.
const (
	defaultTargetListen = "127.0.0.1:9465"
	defaultTargetText   = `{"op":"pong"}`
)

func newTargetCommand() *cobra.Command {
	var listen, text string
	cmd := &cobra.Command{
		Use:   "target",
		Short: "Serve example endpoints, good and faulty, one a path, to rehearse probes and alerts against",
		Args:  noArgs("say where to listen with --listen"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return failure{fmt.Errorf("--listen: %w", err)}
			}
			return serveTargets(cmd.Context(), cmd.OutOrStdout(), l, text)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", defaultTargetListen, "`host:port` to serve on; anybody who reaches it can make it busy")
	cmd.Flags().StringVar(&text, "text", defaultTargetText, "`message` that the endpoints answer with")
	return cmd
}

// serveTargets serves the catalogue until ctx ends.
func serveTargets(ctx context.Context, out io.Writer, l net.Listener, text string) error {
	cases := wstest.Catalogue(text)
	listing := targetListing(cases, "ws://"+l.Addr().String())
	scripts := map[string]wstest.Script{
		"/": wstest.Refuse(200, listing, "Content-Type: text/plain; charset=utf-8"),
	}
	for _, c := range cases {
		scripts["/"+c.Name] = c.Script
	}
	server := wstest.Serve(l, nil, wstest.ByPath(scripts))
	defer server.Close()
	if _, err := io.WriteString(out, listing+"\nCtrl-C ends it.\n"); err != nil {
		return failure{err}
	}
	<-ctx.Done()
	return nil
}

// targetListing lists the endpoints, for the terminal and for the page at /.
func targetListing(cases []wstest.Case, base string) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, c := range cases {
		fmt.Fprintf(table, "%s/%s\t%s\n", base, c.Name, c.Does)
	}
	_ = table.Flush() // a strings.Builder takes everything
	return b.String()
}

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
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
		Use:        "target",
		Short:      "Serve endpoints, good and faulty, to rehearse probes and alerts on",
		SuggestFor: []string{"targets", "endpoints"},
		Args:       noArgs("say where to listen with --listen"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := listenProblem(listen); err != nil {
				return err
			}
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
	base := "ws://" + dialable(l.Addr())
	listing := targetListing(cases, base) + "\n" + firstTry(cases[0], base, text)
	scripts := map[string]wstest.Script{"/": wstest.Refuse(200, listing)}
	for _, c := range cases {
		scripts["/"+c.Name] = c.Script
	}
	server := wstest.Serve(l, nil, wstest.ByPath(scripts))
	defer server.Close()
	if _, err := io.WriteString(out, listing+"Ctrl-C ends it.\n"); err != nil {
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

// firstTry is a command to begin with, to copy from the end of the listing.
func firstTry(good wstest.Case, base, text string) string {
	command := fmt.Sprintf("wsprobe once %s/%s --send ping", base, good.Name)
	if strings.Contains(text, "pong") {
		command += " --expect pong"
	}
	return "Try one in another terminal:\n\n    " + command + "\n\n"
}

// listenProblem says why an address is none, before the system says so in words of its own.
func listenProblem(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen: must be host:port or :port, got %q", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("--listen: must have a port between 0 and 65535, got %q", address)
	}
	return nil
}

// dialable is an address of a listener that a client on this machine can use: one that listens everywhere, which
// package net calls [::] whatever it was told, is at home on loopback too.
func dialable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}

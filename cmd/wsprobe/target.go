package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// Defaults of `target`: a port beside that of the status page, and an answer that many probes look for.
const (
	defaultTargetListen = "127.0.0.1:9465"
	defaultTargetText   = `{"op":"pong"}`
)

// maxTargetConnections bounds the connections of all endpoints together.
const maxTargetConnections = 10_000

// targetFlags are the flags of `target`.
type targetFlags struct {
	listen, listenTLS, text, caFile, clientFile string
}

func newTargetCommand() *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use:        "target",
		Short:      "Serve endpoints, good and faulty, to rehearse probes and alerts on",
		SuggestFor: []string{"targets", "endpoints"},
		Args:       noArgs("say where to listen with --listen"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.open()
			if err != nil {
				return err
			}
			return t.serve(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", defaultTargetListen,
		"`host:port` to serve on; anybody who reaches it can make it busy")
	flags.StringVar(&f.listenTLS, "listen-tls", "",
		"`host:port` to serve wss:// on, or none (default the port after that of --listen)")
	flags.StringVar(&f.caFile, "ca-file", "",
		"`file` to write the authority to that signs the certificates of wss:// (PEM)")
	flags.StringVar(&f.clientFile, "client-file", "", "`file` to write a client certificate and its private key to (PEM)")
	flags.StringVar(&f.text, "text", defaultTargetText, "`message` that the endpoints answer with")
	return cmd
}

// targets are the endpoints before they serve.
type targets struct {
	plain, secure net.Listener // secure is nil without wss://
	certificates  *wstest.TLSCatalogue
	flags         targetFlags
}

// open listens, makes the certificates, and writes the files that are asked for.
func (f targetFlags) open() (t targets, err error) {
	secure, err := f.secureAddress()
	if err != nil {
		return t, err
	}
	if secure == "" && f.caFile+f.clientFile != "" {
		return t, errors.New("--ca-file, --client-file: have no effect with --listen-tls none")
	}
	t.flags = f
	if t.plain, err = net.Listen("tcp", f.listen); err != nil {
		return t, failure{fmt.Errorf("--listen: %w", err)}
	}
	if secure == "" {
		return t, nil
	}
	if t.secure, err = net.Listen("tcp", secure); err != nil {
		return t, failure{fmt.Errorf("--listen-tls: %w", errors.Join(err, t.plain.Close()))}
	}
	t.certificates = wstest.NewTLSCatalogue(ownAddress(t.secure.Addr())...)
	if err := errors.Join(t.writeFile("--ca-file", f.caFile, t.certificates.CA.PEM(), 0o644),
		t.writeFile("--client-file", f.clientFile, wstest.PEM(t.certificates.Client), 0o600)); err != nil {
		return t, failure{errors.Join(err, t.plain.Close(), t.secure.Close())}
	}
	return t, nil
}

// secureAddress is where to serve wss://, or empty for nowhere.
func (f targetFlags) secureAddress() (string, error) {
	if err := listenProblem("--listen", f.listen); err != nil {
		return "", err
	}
	switch f.listenTLS {
	case "none":
		return "", nil
	case "":
		host, port, _ := net.SplitHostPort(f.listen)
		if number, _ := strconv.Atoi(port); number == 0 {
			return f.listen, nil // any port
		} else if number < 65535 {
			return net.JoinHostPort(host, strconv.Itoa(number+1)), nil
		}
		return "", errors.New("--listen-tls: is needed, because no port comes after that of --listen")
	}
	return f.listenTLS, listenProblem("--listen-tls", f.listenTLS)
}

func (t targets) writeFile(flag, path string, content []byte, mode os.FileMode) error {
	if path == "" {
		return nil
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// serve serves the endpoints until ctx ends.
func (t targets) serve(ctx context.Context, out io.Writer) error {
	cases := wstest.Catalogue(t.flags.text)
	listing := t.listing(cases)
	scripts := map[string]wstest.Script{"/": wstest.Refuse(200, listing)}
	for _, c := range cases {
		scripts["/"+c.Name] = c.Script
	}
	if t.secure != nil {
		scripts[caPath] = wstest.Refuse(200, string(t.certificates.CA.PEM()))
		scripts[clientPath] = wstest.Refuse(200, string(wstest.PEM(t.certificates.Client)))
	}
	script := wstest.Limit(maxTargetConnections, wstest.ByPath(scripts))
	server := wstest.Serve(t.plain, nil, script)
	defer server.Close()
	if t.secure != nil {
		secure := wstest.Serve(t.secure, t.certificates.Config, script)
		defer secure.Close()
	}
	if _, err := io.WriteString(out, listing+"Ctrl-C ends it.\n"); err != nil {
		return failure{err}
	}
	<-ctx.Done()
	return nil
}

// listenProblem says why an address of a flag is none, before the system says so in words of its own.
func listenProblem(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: must be host:port or :port, got %q", flag, address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: must have a port between 0 and 65535, got %q", flag, address)
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

// ownAddress is the address of a listener that listens on one.
func ownAddress(addr net.Addr) []net.IP {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		return []net.IP{tcp.IP}
	}
	return nil
}

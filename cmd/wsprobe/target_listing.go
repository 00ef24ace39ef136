package main

import (
	"fmt"
	"net"
	"strings"
	"text/tabwriter"

	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// Paths of what a probe of wss:// needs.
const (
	caPath     = "/ca.pem"
	clientPath = "/client.pem"
)

// heldHeading stands above the endpoints that stay open.
const heldHeading = `
These stay open. The query has the defaults of their times and numbers.
In a shell, put the URL in quotes.

`

// tlsOutcomes says by host what `once` with --ca-file makes of an endpoint by wss://: the error type, or nothing if it
// is ok. One of them is ok with a certificate of the client.
var tlsOutcomes = map[string]struct {
	errorType reasons.ErrorType
	client    bool
}{
	"localhost":             {},
	"expired.localhost":     {errorType: reasons.TLSCertificateExpired},
	"wrong-name.localhost":  {errorType: reasons.TLSHostnameMismatch},
	"untrusted.localhost":   {errorType: reasons.TLSCertificateUntrust},
	"client-cert.localhost": {errorType: reasons.TLSHandshake, client: true},
}

// listing lists the endpoints, for the terminal and for the page at /.
func (t targets) listing(cases []wstest.Case) string {
	var b strings.Builder
	plain := dialable(t.plain.Addr())
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	held := false
	for _, c := range cases {
		if len(c.Parameters) > 0 && !held {
			held = true
			fmt.Fprint(table, heldHeading)
		}
		fmt.Fprintf(table, "ws://%s/%s\t%s\n", plain, pathOf(c), c.Does)
	}
	_ = table.Flush() // a strings.Builder takes everything
	if t.secure != nil {
		t.listTLS(&b, cases[0])
	}
	return b.String() + "\n" + firstTry(cases[0], "ws://"+plain, t.flags.text)
}

// pathOf is the path of an endpoint, with its parameters.
func pathOf(c wstest.Case) string {
	if query := c.Query(); query != "" {
		return c.Name + "?" + query
	}
	return c.Name
}

// listTLS lists the hosts of wss://, and the commands that try them.
func (t targets) listTLS(b *strings.Builder, good wstest.Case) {
	b.WriteString("\nEach path also by wss://. The name of the host picks the certificate:\n\n")
	_, port, _ := net.SplitHostPort(t.secure.Addr().String())
	table := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, c := range t.certificates.Cases {
		fmt.Fprintf(table, "wss://%s:%s/%s\t%s\t%s\n", c.Host, port, good.Name, c.Does, outcomeOf(c.Host))
	}
	_ = table.Flush()
	ca, fetchCA := t.file(t.flags.caFile, caPath)
	client, fetchClient := t.file(t.flags.clientFile, clientPath)
	fmt.Fprintf(b, "\nTry them with the authority and the client certificate of this start:\n\n%s%s", fetchCA, fetchClient)
	try := "    wsprobe once wss://%s:" + port + "/" + good.Name + " --ca-file " + ca
	if ip := ownAddress(t.secure.Addr()); len(ip) > 0 && !ip[0].IsLoopback() {
		try += " --connect-to " + t.secure.Addr().String() // names under localhost lead elsewhere
	}
	fmt.Fprintf(b, try+"\n", "localhost")
	fmt.Fprintf(b, try+" --cert-file %s --key-file %[2]s\n", "client-cert.localhost", client)
}

// file is the path of a file that the listener of ws:// offers. If no flag had it written, a command fetches it.
func (t targets) file(written, offered string) (path, fetch string) {
	if written != "" {
		return written, ""
	}
	return strings.TrimPrefix(offered, "/"), fmt.Sprintf("    curl -sO http://%s%s\n", dialable(t.plain.Addr()), offered)
}

// outcomeOf says what a probe with the right authority makes of a host.
func outcomeOf(host string) string {
	switch outcome := tlsOutcomes[host]; {
	case outcome.client:
		return "ok with --cert-file and --key-file, else " + string(outcome.errorType)
	case outcome.errorType != "":
		return string(outcome.errorType)
	}
	return reasons.OK.String()
}

// firstTry is a command to begin with, to copy from the end of the listing.
func firstTry(good wstest.Case, base, text string) string {
	command := fmt.Sprintf("wsprobe once %s/%s --send ping", base, good.Name)
	if strings.Contains(text, "pong") {
		command += " --expect pong"
	}
	return "Try one in another terminal:\n\n    " + command + "\n\n"
}

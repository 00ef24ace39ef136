package wstest_test

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// A client is tried on every host of the catalogue. It trusts the authority, and has no certificate of its own.
func ExampleNewTLSCatalogue() {
	catalogue := wstest.NewTLSCatalogue()
	server := wstest.StartTLS(wstest.Echo, catalogue.Config)
	defer server.Close()

	trust := server.ClientTLS()
	trust.RootCAs = catalogue.CA.Pool()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: trust,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Addr().String()) // whatever the name
		},
	}}
	for _, c := range catalogue.Cases {
		options := &websocket.DialOptions{HTTPClient: client}
		conn, _, err := websocket.Dial(context.Background(), "wss://"+c.Host+"/", options)
		fmt.Printf("%-21s %s: opens %t\n", c.Host, c.Does, err == nil)
		if err == nil {
			_ = conn.CloseNow()
		}
	}
	// Output:
	// localhost             has a right certificate: opens true
	// expired.localhost     has a certificate that has expired: opens false
	// wrong-name.localhost  has a certificate for another name: opens false
	// untrusted.localhost   has a certificate of an unknown authority: opens false
	// client-cert.localhost wants a client certificate: opens false
}

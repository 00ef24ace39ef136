package probe

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
)

// readSystemRoots makes crypto/x509 read the system's authorities ahead of the first handshake that is verified with
// them. It reads them once, for up to a tenth of a second, which would else be taken for the endpoint's. If there are
// none, the handshake says so.
var readSystemRoots = sync.OnceFunc(func() { _, _ = x509.SystemCertPool() })

// readyRoots sees to it that a handshake finds the authorities that it is verified with.
func readyRoots(c *tls.Config) {
	if c.RootCAs == nil && !c.InsecureSkipVerify {
		readSystemRoots()
	}
}

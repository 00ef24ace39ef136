package opening

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
)

// readSystemRoots makes crypto/x509 read the system's authorities before the first handshake needs them. Reading takes
// up to a tenth of a second, once; in the handshake it would look like the endpoint's time. If there are no
// authorities, the handshake says so.
var readSystemRoots = sync.OnceFunc(func() { _, _ = x509.SystemCertPool() })

// readyRoots reads the authorities that a handshake with the configuration needs.
func readyRoots(c *tls.Config) {
	if c.RootCAs == nil && !c.InsecureSkipVerify {
		readSystemRoots()
	}
}

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestStreamSecured streams through a proxy that Apache is, to an nginx with TLS that wants a client certificate and a
// password, with a subprotocol, a header and compression, to a receiver behind it.
func TestStreamSecured(t *testing.T) {
	t.Parallel()
	r, w := newReceiver(t, "websockets", "answer"), newWitness(t)
	certificate, key := selfSigned(t)
	nginx, proxy := startSecured(t, r.addr, certificate, key), startForwardProxy(t)
	password := fileWith(t, "password", "secret\n")
	secured := func(name, password string) map[string]any {
		return with(onDisk(t, name, "wss://"+nginx+"/in", "message"), map[string]any{
			"proxy_url": "http://" + proxy, "compression": "on", "protocols": []string{"events.v1"},
			"headers": map[string]string{"X-Tenant": "core"},
			"auth":    map[string]any{"strategy": "basic", "user": "wsprobe", "password_file": password},
			"tls":     map[string]any{"ca_file": certificate, "cert_file": certificate, "key_file": key},
		})
	}
	agent := startStreaming(t, lab.NewEndpoint(t).Many(5), w.stream(), secured("secured", password), secured("wrong", fileWith(t, "wrong", "guess\n")))
	r.awaitEvents(t, 30)
	if output := agent.process.Output(); !strings.Contains(output, "401") {
		t.Errorf("the log does not tell of the wrong password:\n%s", output)
	}
	wrong := agent.checkCounts(t)["wrong"]
	if wrong.sent > 0 || wrong.buffered == 0 {
		t.Errorf("with a wrong password: %+v", wrong)
	}
	agent.finish(t, w, r, "secured")
}

// selfSigned writes a certificate for 127.0.0.1, which is its own authority, and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return fileWith(t, "certificate.pem", "%s", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		fileWith(t, "key.pem", "%s", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// startSecured starts an nginx that lets nobody in without certificate, password, header and subprotocol.
func startSecured(t *testing.T, upstream, certificate, key string) (addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	dir, users := t.TempDir(), fileWith(t, "users", "wsprobe:{PLAIN}secret\n")
	config := fileWith(t, "nginx.conf", nginxHead+`  server {
    listen %[2]s ssl;
    ssl_certificate %[4]s;
    ssl_certificate_key %[5]s;
    ssl_client_certificate %[4]s;
    ssl_verify_client on;
    location /in {
      auth_basic events;
      auth_basic_user_file %[6]s;
      if ($http_x_tenant != core) { return 403; }
      if ($http_sec_websocket_protocol != events.v1) { return 403; }
      proxy_pass http://%[3]s;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}
`, dir, addr, upstream, certificate, key, users)
	listening(t, lab.Start(t, need(t, "nginx", "nginx-light"), "-p", dir, "-e", "stderr", "-c", config), addr)
	return addr
}

// startForwardProxy starts an Apache that tunnels to any port.
func startForwardProxy(t *testing.T) (addr string) {
	t.Helper()
	program, dir := need(t, "apache2", "apache2-bin"), t.TempDir()
	addr = lab.FreeAddr(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config := fileWith(t, "apache.conf", apacheHead+`LoadModule proxy_connect_module /usr/lib/apache2/modules/mod_proxy_connect.so
StartServers 1
Listen %[2]s
ProxyRequests On
AllowCONNECT 1-65535
`, dir, addr)
	listening(t, lab.Start(t, program, "-DFOREGROUND", "-f", filepath.Clean(config)), addr)
	return addr
}

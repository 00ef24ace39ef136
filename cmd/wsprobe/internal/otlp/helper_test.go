package otlp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// patience bounds every wait of these tests. It passes only if something is broken.
const patience = 2 * time.Minute

// protocols are what most tests go over.
var protocols = []Protocol{GRPC, HTTP}

// midnight is a time that needs no explanation.
var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// numbered returns a request of metrics with a point a second for each number.
func numbered(t *testing.T, numbers ...float64) []byte {
	t.Helper()
	var points []*metrics.NumberDataPoint
	for _, n := range numbers {
		at := midnight.Add(time.Duration(n) * time.Second)
		points = append(points, &metrics.NumberDataPoint{TimeUnixNano: uint64(at.UnixNano()), Value: &metrics.NumberDataPoint_AsDouble{AsDouble: n}})
	}
	request, err := proto.Marshal(&collector.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: []*metrics.Metric{
			{Name: "n", Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: points}}},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// numbersOf returns the numbers in a request.
func numbersOf(t *testing.T, raw []byte) []float64 {
	t.Helper()
	var request collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	var numbers []float64
	for p := range receiver.Points(&request) {
		numbers = append(numbers, p.Value)
	}
	return numbers
}

// clientTo makes a client, with a timeout that a receiver that answers does not need.
func clientTo(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// served is a receiver on loopback.
type served struct {
	addr string
	wire atomic.Int64 // bytes read from connections
}

// serve lets a receiver listen until the test ends.
func serve(t *testing.T, p Protocol, r *receiver.Receiver) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{addr: l.Addr().String()}
	listen := r.Serve
	if p == HTTP {
		listen = r.ServeHTTPProtobuf
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- listen(ctx, countingListener{l, &s.wire}) }()
	t.Cleanup(sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("receiver: %v", err)
		}
	}))
	return s
}

// endpoint is where a client finds a receiver.
func (s *served) endpoint(p Protocol, scheme string) string {
	if p == HTTP {
		return scheme + "://" + s.addr + receiver.MetricsPath
	}
	return scheme + "://" + s.addr
}

type countingListener struct {
	net.Listener
	n *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn, l.n}, nil
}

type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// certify makes a certificate authority and a certificate for 127.0.0.1, for servers and clients.
func certify(t *testing.T) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wsprobe test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

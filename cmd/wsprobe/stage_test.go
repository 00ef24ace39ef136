package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// stage is the world around the program in a script: endpoints, a back end, and addresses where nobody is.
type stage struct {
	server  *wstest.Server
	tls     *wstest.Server
	proxy   *wstest.Server
	mutual  *wstest.Server // wants a certificate of its clients
	backend *receiver.Running
	visits  map[string]chan struct{} // by endpoint, one for each connection
	points  chan string
	file    *os.File // the points once more, for grep
	notice  net.Listener
	silence net.Conn // its own address takes no connection
}

func newStage(dir string) (*stage, error) {
	s := &stage{visits: make(map[string]chan struct{}), points: make(chan string, 10_000)}
	var err error
	if s.file, err = os.Create(filepath.Join(dir, "points")); err != nil {
		return nil, err
	}
	if s.notice, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.backend, err = receiver.Start(&receiver.Receiver{Point: func(p receiver.Point) {
		line := pointLine(p)
		fmt.Fprintln(s.file, line)
		s.points <- line
	}})
	if err != nil {
		return nil, err
	}
	if s.silence, err = net.Dial("tcp", s.backend.Address); err != nil {
		return nil, err
	}
	paths := make(map[string]wstest.Script)
	for name, script := range endpoints() {
		visits := make(chan struct{}, 10_000)
		s.visits[name] = visits
		paths["/"+name] = func(c *wstest.Conn) {
			visits <- struct{}{}
			script(c)
		}
	}
	s.server = wstest.Start(wstest.ByPath(paths))
	s.tls = wstest.StartTLS(wstest.Echo, nil)
	s.proxy = wstest.Start(wstest.Connect)
	s.mutual = wstest.StartTLS(wstest.Echo, &tls.Config{
		Certificates: []tls.Certificate{s.tls.CA.Issue(wstest.Cert{})}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: s.tls.CA.Pool(),
	})
	return s, s.writeCertificates(dir)
}

// writeCertificates puts ca.pem, client.pem, client.key and the bundle of both, client.p12, into the folder of a script.
func (s *stage) writeCertificates(dir string) error {
	client := s.tls.CA.Issue(wstest.Cert{})
	der, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
	if err != nil {
		return err
	}
	bundle, err := pkcs12.Modern.Encode(client.PrivateKey, client.Leaf, nil, "swordfish")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"ca.pem":     s.tls.CA.PEM(),
		"client.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.Certificate[0]}),
		"client.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"client.p12": bundle,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// env tells the script where everything is: $ECHO for the endpoint echo, and so on.
func (s *stage) env() []string {
	vars := []string{
		"GORACE=atexit_sleep_ms=0", // the race detector makes each program sleep for a second at its end
		"POINTS=" + s.file.Name(),
		"OTLP=http://" + s.backend.Address,
		"BUSY=" + s.backend.Address,
		"NOTICE=" + s.notice.Addr().String(),
		"CLOSED_PORT=ws://" + s.silence.LocalAddr().String() + "/",
		"UNTRUSTED=" + s.tls.URL,
		"MUTUAL=" + s.mutual.URL,
		"PROXY=" + s.proxy.Addr().String(),
		"ADDRESS=" + s.server.Addr().String(),
	}
	if examples, err := filepath.Abs("../../deploy/examples"); err == nil {
		vars = append(vars, "EXAMPLES="+examples)
	}
	for name := range s.visits {
		vars = append(vars, strings.ToUpper(name)+"="+s.server.URL+name)
	}
	return vars
}

func (s *stage) close() {
	for _, c := range []io.Closer{s.silence, s.notice} {
		_ = c.Close()
	}
	s.server.Close()
	s.tls.Close()
	s.proxy.Close()
	s.mutual.Close()
	_ = s.backend.Stop()
	_ = s.file.Close()
}

// endpoints are what the scripts may probe.
func endpoints() map[string]wstest.Script {
	var pair, last sync.WaitGroup // a new one for each stage
	pair.Add(2)
	last.Add(1)
	partner := func(c *wstest.Conn) {
		c.Request()
		pair.Done()
		pair.Wait()
		wstest.Echo(c)
	}
	return map[string]wstest.Script{
		"echo":      wstest.Echo,
		"deflate":   wstest.DeflateEcho,
		"bomb":      wstest.DeflateBomb(512),
		"silent":    wstest.Silent,
		"stall":     wstest.StallHandshake,
		"refuse403": wstest.Refuse(403, "not from here\n"),
		"refuse503": wstest.Refuse(503, "busy\n"),
		"close1008": wstest.CloseWith(1008, "policy"),
		"drop":      wstest.Drop,
		"masked":    wstest.Frames(wstest.Frame{Opcode: wstest.OpText, Payload: "pong", Masked: true}),
		"greet":     wstest.Greeting("welcome", "pong"),
		"session": func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Text(`{"session":"s1"}`))
			c.Send(wstest.Text(fmt.Sprintf(`{"joined":%s}`, c.Message())))
			c.Serve()
		},
		"closeatonce": func(c *wstest.Conn) {
			c.Accept()
			c.Send(wstest.Close(1001, "restart"))
			c.Serve()
		},
		"mismatch": wstest.Reply("something else"),
		"moody":    moody(3),
		"markup":   wstest.Reply("<b>&amp; so on</b>"),
		"bearer": func(c *wstest.Conn) {
			if c.Request().Header.Get("Authorization") != "Bearer swordfish" {
				c.Refuse(401, "not "+c.Request().Header.Get("Authorization"))
			}
			wstest.Echo(c)
		},
		"v2": func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Protocol: v2")
			c.Serve()
		},
		// These answer only once both are connected.
		"partner1": partner,
		"partner2": partner,
		// The first answers only after a probe of the second has ended.
		"first":  func(c *wstest.Conn) { c.Request(); last.Wait(); wstest.Echo(c) },
		"second": func(c *wstest.Conn) { defer last.Done(); wstest.Echo(c) },
		// These tell everything that they were told, where an agent might show it.
		"leakrefuse": func(c *wstest.Conn) { c.Refuse(403, told(c), "X-Told: "+told(c)) },
		"leakclose": func(c *wstest.Conn) {
			text := c.Request().Header.Get("Authorization")
			c.Accept()
			c.Message()
			c.Send(wstest.Close(4001, text))
			c.Serve()
		},
		"leakreply": func(c *wstest.Conn) {
			text := told(c)
			c.Accept()
			c.Message()
			c.Send(wstest.Text(text))
			c.Serve()
		},
	}
}

// told is what a client wrote into its request.
func told(c *wstest.Conn) string {
	return c.Request().Header.Get("Authorization") + " " + c.Request().URL.RequestURI()
}

// pointLine is a point on one line: metric, value, times, then its attributes in order.
func pointLine(p receiver.Point) string {
	var attributes []string
	for key, value := range p.Attributes {
		attributes = append(attributes, fmt.Sprintf("%s=%v", key, value))
	}
	slices.Sort(attributes)
	return fmt.Sprintf("%s value=%v start=%s time=%s %s", p.Metric, p.Value,
		p.Start.UTC().Format(time.RFC3339Nano), p.Time.UTC().Format(time.RFC3339Nano), strings.Join(attributes, " "))
}

// isUTC says whether a text is a time in RFC 3339, in UTC.
func isUTC(text string) bool {
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && strings.HasSuffix(text, "Z")
}

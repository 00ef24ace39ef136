package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

const serverName = "bench.test"

// server answers Pings and close frames, and knows when they came.
type server struct {
	interval time.Duration

	mu        sync.Mutex
	late      []float64 // ms, of the Pings since begin
	goingAway int
}

// serve is the process of a server.
func serve(s setup) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	shown := listener.Addr().String()
	if s.secure {
		certificate, err := newCertificate()
		if err != nil {
			return err
		}
		shown += "/" + base64.RawURLEncoding.EncodeToString(certificate.Certificate[0])
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}
	fmt.Println(shown)
	srv := &server{interval: s.interval}
	go srv.accept(listener) // it ends with the process
	return srv.obey()
}

// obey answers orders until there are no more.
func (s *server) obey() error {
	answers := json.NewEncoder(os.Stdout)
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var answer any = struct{}{}
		s.mu.Lock()
		switch orders.Text() {
		case "begin":
			s.late, s.goingAway = nil, 0
		case "heard":
			if slices.Sort(s.late); len(s.late) > 0 {
				answer = heard{LateP50: s.late[len(s.late)/2], LateP99: s.late[len(s.late)*99/100]}
			}
		case "closed":
			answer = struct{ GoingAway int }{s.goingAway}
		}
		s.mu.Unlock()
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() { // it ends with the connection
			defer conn.Close()
			if upgrade(conn) == nil {
				s.hold(conn)
			}
		}()
	}
}

// upgrade answers the request. Its buffer is garbage afterwards.
func upgrade(conn net.Conn) error {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return err
}

// hold answers control frames of a client until the connection ends.
func (s *server) hold(conn net.Conn) {
	var (
		frame [6 + 125]byte
		first time.Time // when the first Ping came
	)
	for {
		if _, err := io.ReadFull(conn, frame[:6]); err != nil {
			return
		}
		payload := frame[6 : 6+frame[1]&0x7f]
		if _, err := io.ReadFull(conn, payload); err != nil {
			return
		}
		for i := range payload {
			payload[i] ^= frame[2+i%4]
		}
		switch frame[0] & 0x0f {
		case 9:
			if now := time.Now(); first.IsZero() {
				first = now
			} else {
				s.note(now.Sub(first))
			}
			frame[4], frame[5] = 0x8a, byte(len(payload))
			_, _ = conn.Write(frame[4 : 6+len(payload)])
		case 8:
			if len(payload) >= 2 && binary.BigEndian.Uint16(payload) == 1001 {
				s.mu.Lock()
				s.goingAway++
				s.mu.Unlock()
			}
			frame[4], frame[5] = 0x88, byte(len(payload))
			_, _ = conn.Write(frame[4 : 6+len(payload)])
			return
		}
	}
}

// note notes how far a Ping is from its beat, which the first one set.
func (s *server) note(since time.Duration) {
	late := since % s.interval
	late = min(late, s.interval-late)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, float64(late)/float64(time.Millisecond))
}

func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{serverName}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

package wstest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ByHand is the yardstick of the benchmarks: the least work of a client in one run, written by hand over net.Dial. Each
// call opens a connection to the URL, checks the handshake and sends a text message. It wants a reply that contains a
// text, and ends with the closing handshake. Both texts have less than 126 bytes. The configuration is for wss.
func ByHand(url string, config *tls.Config, send, want string) func() error {
	scheme, address, _ := strings.Cut(strings.TrimSuffix(url, "/"), "://")
	return func() error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if scheme == "wss" {
			conn = tls.Client(conn, config)
		}
		return talk(conn, address, send, want)
	}
}

func talk(conn net.Conn, address, send, want string) error {
	var random [24]byte
	_, _ = rand.Read(random[:])
	key := base64.StdEncoding.EncodeToString(random[:16])
	request := "GET / HTTP/1.1\r\nHost: " + address + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	br := bufio.NewReader(conn)
	if err := readAccepting(br, AcceptKey(key)); err != nil {
		return err
	}
	if err := writeMasked(conn, 0x81, random[16:20], []byte(send)); err != nil {
		return err
	}
	if reply, err := readShort(br); err != nil || !strings.Contains(reply, want) {
		return fmt.Errorf("%q: %w", reply, err)
	}
	if err := writeMasked(conn, 0x88, random[20:24], []byte{0x03, 0xe8}); err != nil {
		return err
	}
	_, err := readShort(br)
	return err
}

// readAccepting reads the head of a 101 that accepts a key.
func readAccepting(br *bufio.Reader, accept string) error {
	accepted := false
	for status := true; ; status = false {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return err
		}
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch {
		case status && !bytes.HasPrefix(line, []byte("HTTP/1.1 101 ")):
			return errors.New(string(line))
		case len(name) == 0 && !accepted:
			return errors.New("101 without the right Sec-WebSocket-Accept")
		case len(name) == 0:
			return nil
		case bytes.EqualFold(name, []byte("Sec-WebSocket-Accept")):
			accepted = string(value) == accept
		}
	}
}

func writeMasked(w io.Writer, first byte, mask, payload []byte) error {
	frame := append([]byte{first, 0x80 | byte(len(payload))}, mask...)
	for i, c := range payload {
		frame = append(frame, c^mask[i%4])
	}
	_, err := w.Write(frame)
	return err
}

func readShort(r io.Reader) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	payload := make([]byte, binary.BigEndian.Uint16([]byte{0, head[1] & 0x7f}))
	_, err := io.ReadFull(r, payload)
	return string(payload), err
}

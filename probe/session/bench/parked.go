package main

import (
	"errors"
	"io"
	"net"
	"strings"
)

// handshake asks for a WebSocket. It reads not a byte too many, because none comes before the first Ping.
func handshake(conn net.Conn, addr string) error {
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+addr+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
	if err != nil {
		return err
	}
	var head strings.Builder
	for piece := make([]byte, 512); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
		n, err := conn.Read(piece)
		if err != nil {
			return err
		}
		head.Write(piece[:n])
	}
	if !strings.HasPrefix(head.String(), "HTTP/1.1 101 ") {
		return errors.New("refused: " + head.String())
	}
	return nil
}

// readParked counts Pongs, until a close frame or the end of the connection.
func readParked(conn net.Conn, ponged func()) {
	var frame [16]byte
	for {
		if _, err := io.ReadFull(conn, frame[:2]); err != nil {
			return
		}
		rest := frame[:frame[1]&0x0f]
		if _, err := io.ReadFull(conn, rest); err != nil || frame[0] == 0x88 {
			_ = conn.Close()
			return
		}
		ponged()
	}
}

// masked is a control frame of a client. A mask of zeros is one, too.
func masked(opcode byte, payload string) []byte {
	return append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func (p parked) ping() error {
	_, err := p.Write(masked(9, payload))
	return err
}

func (p parked) close() {
	_, _ = p.Write(masked(8, "\x03\xe9"))
	_ = p.Conn.Close()
}

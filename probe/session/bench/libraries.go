package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// address is the URL of a server.
func address(addr string, config *tls.Config) string {
	if config != nil {
		return "wss://" + addr + "/"
	}
	return "ws://" + addr + "/"
}

// payload is that of every Ping, as long as that of package session.
const payload = "12345678"

type gorillaSocket struct{ *gorilla.Conn }

func dialGorilla(addr string, config *tls.Config, ponged func()) (socket, error) {
	d := gorilla.Dialer{TLSClientConfig: config}
	conn, _, err := d.Dial(address(addr, config), nil)
	if err != nil {
		return nil, err
	}
	conn.SetPongHandler(func(string) error { ponged(); return nil })
	go func() { // until the connection ends
		for {
			if _, _, err := conn.NextReader(); err != nil {
				return
			}
		}
	}()
	return gorillaSocket{conn}, nil
}

func (s gorillaSocket) ping() error {
	return s.WriteControl(gorilla.PingMessage, []byte(payload), time.Now().Add(10*time.Second))
}

func (s gorillaSocket) close() {
	_ = s.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(gorilla.CloseGoingAway, ""), time.Now().Add(time.Second))
	_ = s.Conn.Close()
}

type coderSocket struct{ *websocket.Conn }

func dialCoder(addr string, config *tls.Config, ponged func()) (socket, error) {
	options := &websocket.DialOptions{OnPongReceived: func(context.Context, []byte) { ponged() }}
	if config != nil {
		options.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	}
	conn, _, err := websocket.Dial(context.Background(), address(addr, config), options)
	if err != nil {
		return nil, err
	}
	conn.CloseRead(context.Background())
	return coderSocket{conn}, nil
}

// ping does not wait for the Pong, which the library's own function does.
func (s coderSocket) ping() error {
	go func() { _ = s.Conn.Ping(context.Background()) }()
	return nil
}

func (s coderSocket) close() { _ = s.Close(websocket.StatusGoingAway, "") }

type gwsSocket struct{ *gws.Conn }

// gwsEvents calls a function at each Pong.
type gwsEvents struct {
	gws.BuiltinEventHandler
	ponged func()
}

func (e *gwsEvents) OnPong(*gws.Conn, []byte) { e.ponged() }

func dialGWS(addr string, config *tls.Config, ponged func()) (socket, error) {
	conn, _, err := gws.NewClient(&gwsEvents{ponged: ponged}, &gws.ClientOption{Addr: address(addr, config), TlsConfig: config})
	if err != nil {
		return nil, err
	}
	go conn.ReadLoop() // until the connection ends
	return gwsSocket{conn}, nil
}

func (s gwsSocket) ping() error { return s.WritePing([]byte(payload)) }

func (s gwsSocket) close() {
	_ = s.WriteClose(1001, nil)
	_ = s.NetConn().Close()
}

// parked is the cheapest client that uses only package net: a goroutine parked in Read.
type parked struct{ net.Conn }

func dialParked(addr string, config *tls.Config, ponged func()) (socket, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	if err := handshake(conn, addr); err != nil {
		_ = conn.Close()
		return nil, err
	}
	go readParked(conn, ponged) // until the connection ends
	return parked{conn}, nil
}

package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	xnet "golang.org/x/net/websocket"
)

// serveCoder is the loop of the README of github.com/coder/websocket.
func serveCoder(r *recorder, w http.ResponseWriter, request *http.Request) error {
	conn, err := coder.Accept(w, request, &coder.AcceptOptions{CompressionMode: coder.CompressionContextTakeover})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	name := r.connection()
	r.deaf()
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		if answer := r.take(name, kind == coder.MessageBinary, message); answer != nil {
			if err := conn.Write(context.Background(), coder.MessageText, answer); err != nil {
				return err
			}
		}
	}
}

// serveGorilla is the loop of the documentation of github.com/gorilla/websocket.
func serveGorilla(r *recorder, w http.ResponseWriter, request *http.Request) error {
	upgrader := gorilla.Upgrader{EnableCompression: true}
	conn, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	name := r.connection()
	r.deaf()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		if answer := r.take(name, kind == gorilla.BinaryMessage, message); answer != nil {
			if err := conn.WriteMessage(gorilla.TextMessage, answer); err != nil {
				return err
			}
		}
	}
}

// serveGobwas is the first loop of the README of github.com/gobwas/ws.
func serveGobwas(r *recorder, w http.ResponseWriter, request *http.Request) error {
	conn, _, _, err := ws.UpgradeHTTP(request, w)
	if err != nil {
		return err
	}
	defer conn.Close()
	name := r.connection()
	r.deaf()
	for {
		message, op, err := wsutil.ReadClientData(conn)
		if err != nil {
			return err
		}
		if answer := r.take(name, op == ws.OpBinary, message); answer != nil {
			if err := wsutil.WriteServerText(conn, answer); err != nil {
				return err
			}
		}
	}
}

// gwsHandler is the handler of the README of github.com/lxzan/gws.
type gwsHandler struct {
	gws.BuiltinEventHandler

	r    *recorder
	name string
	end  error
}

func (h *gwsHandler) OnPing(socket *gws.Conn, payload []byte) { _ = socket.WritePong(payload) }

func (h *gwsHandler) OnClose(_ *gws.Conn, err error) { h.end = err }

func (h *gwsHandler) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	if answer := h.r.take(h.name, message.Opcode == gws.OpcodeBinary, message.Bytes()); answer != nil {
		_ = socket.WriteMessage(gws.OpcodeText, answer)
	}
}

func serveGWS(r *recorder, w http.ResponseWriter, request *http.Request) error {
	h := &gwsHandler{r: r, name: r.connection()}
	options := &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{Enabled: true}}
	conn, err := gws.NewUpgrader(h, options).Upgrade(w, request)
	if err != nil {
		return err
	}
	r.deaf()
	conn.ReadLoop()
	return h.end
}

// frame is a message of golang.org/x/net/websocket with its kind.
type frame struct {
	text []byte
	kind byte
}

var received = xnet.Codec{Unmarshal: func(text []byte, kind byte, v any) error {
	*v.(*frame) = frame{text, kind}
	return nil
}}

// serveXNet is the old package, which has frames of Pings to itself.
func serveXNet(r *recorder, w http.ResponseWriter, request *http.Request) error {
	end := errors.New("no handshake")
	server := xnet.Server{
		Handshake: func(*xnet.Config, *http.Request) error { return nil }, // no Origin is asked for
		Handler: func(conn *xnet.Conn) {
			name := r.connection()
			r.deaf()
			for {
				var message frame
				if end = received.Receive(conn, &message); end != nil {
					return
				}
				if answer := r.take(name, message.kind == xnet.BinaryFrame, message.text); answer != nil {
					if end = xnet.Message.Send(conn, string(answer)); end != nil {
						return
					}
				}
			}
		},
	}
	server.ServeHTTP(w, request)
	if errors.Is(end, net.ErrClosed) {
		return nil
	}
	return end
}

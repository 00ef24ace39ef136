package wstest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The scripts of this file speak application protocols whose servers cannot be had for a test, as their documents
// describe them: no more than a client meets that connects, logs in and calls something.

// signalREnd ends each message of SignalR. One WebSocket message may hold several.
const signalREnd = "\x1e"

// SignalR is an ASP.NET Core SignalR hub that speaks the JSON protocol, version 1, and has one method, Echo, which
// returns its argument. Before each result comes a ping in the same WebSocket message, as when the keep-alive of
// the server is due.
func SignalR(c *Conn) {
	c.Accept()
	var hello struct {
		Protocol string
		Version  int
	}
	err := json.Unmarshal([]byte(strings.TrimSuffix(c.Message(), signalREnd)), &hello)
	if err != nil || hello.Protocol != "json" || hello.Version != 1 {
		c.Send(Text(`{"error":"no such protocol"}`+signalREnd), Close(1000, ""))
		c.untilClosed()
		return
	}
	c.Send(Text("{}" + signalREnd))
	for {
		for in := range strings.SplitSeq(strings.TrimSuffix(c.Message(), signalREnd), signalREnd) {
			if answer := signalRCompletion(in); answer != "" {
				c.Send(Text(`{"type":6}` + signalREnd + answer + signalREnd))
			}
		}
	}
}

// signalRCompletion is what a hub answers to a message: nothing, unless it is an invocation that wants an answer.
func signalRCompletion(message string) string {
	var in struct {
		Type         int
		InvocationID string
		Target       string
		Arguments    []json.RawMessage
	}
	if err := json.Unmarshal([]byte(message), &in); err != nil || in.Type != 1 || in.InvocationID == "" {
		return ""
	}
	if in.Target != "Echo" || len(in.Arguments) != 1 {
		return fmt.Sprintf(`{"type":3,"invocationId":%q,"error":"no such method"}`, in.InvocationID)
	}
	return fmt.Sprintf(`{"type":3,"invocationId":%q,"result":%s}`, in.InvocationID, in.Arguments[0])
}

// Phoenix is a Phoenix socket that speaks version 2 of the JSON serializer, and only to those who ask for it. It
// answers heartbeats, has one channel to join, room:lobby, and answers the event ping there with what it carried.
func Phoenix(c *Conn) {
	asked := c.Request().URL.Query().Get("vsn") == "2.0.0"
	c.Accept()
	joined := false
	for {
		var in [5]json.RawMessage // join_ref, ref, topic, event, payload
		if err := json.Unmarshal([]byte(c.Message()), &in); err != nil || !asked {
			c.Send(Close(1011, ""))
			c.untilClosed()
			return
		}
		status, response := "ok", json.RawMessage("{}")
		switch to := string(in[2]) + string(in[3]); {
		case to == `"phoenix""heartbeat"`:
		case to == `"room:lobby""phx_join"`:
			joined = true
		case to == `"room:lobby""ping"` && joined:
			response = in[4]
		default:
			status, response = "error", json.RawMessage(`{"reason":"unmatched topic"}`)
		}
		c.Send(Text(fmt.Sprintf(`[%s,%s,%s,"phx_reply",{"status":%q,"response":%s}]`, in[0], in[1], in[2], status, response)))
	}
}

// EthereumNode answers JSON-RPC 2.0 as an execution client does. It has the number of the last block and whether it is
// still catching up. It has a subscription whose first notification comes before its confirmation has been read. Any
// other method gets an error.
func EthereumNode(c *Conn) {
	c.Accept()
	for {
		var in struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal([]byte(c.Message()), &in); err != nil {
			c.Send(Text(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}`))
			continue
		}
		answer := func(member string) Frame { return Text(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,%s}`, in.ID, member)) }
		switch in.Method {
		case "eth_blockNumber":
			c.Send(answer(`"result":"0x13a5c7e"`))
		case "eth_syncing":
			c.Send(answer(`"result":false`))
		case "eth_subscribe":
			c.Send(answer(`"result":"0xcd0c"`),
				Text(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xcd0c","result":{"number":"0x13a5c7f"}}}`))
		default:
			c.Send(answer(`"error":{"code":-32601,"message":"no such method"}`))
		}
	}
}

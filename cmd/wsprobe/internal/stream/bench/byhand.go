package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// record is the event of the loop by hand, of about 300 bytes. It has the fields that the stream selects.
type record struct {
	ID          string    `json:"id"`
	Replay      int       `json:"replay"`
	Event       string    `json:"event"`
	Timestamp   time.Time `json:"timestamp"`
	Probe       string    `json:"probe"`
	URL         string    `json:"url"`
	Reason      string    `json:"reason"`
	HandshakeMS float64   `json:"handshake_ms"`
	RoundTripMS float64   `json:"round_trip_ms"`
	Peer        string    `json:"peer"`
}

func sendGorilla(url string, events int) error {
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	now := time.Now()
	for i := range events {
		text, err := json.Marshal(record{
			ID: identifier(i), Event: "run", Timestamp: now, Probe: probeName, URL: probeURL, Reason: "ok",
			HandshakeMS: handshake.Seconds() * 1000, RoundTripMS: roundTrip.Seconds() * 1000, Peer: peer,
		})
		if err != nil {
			return err
		}
		if err := conn.WriteMessage(websocket.TextMessage, text); err != nil {
			return err
		}
	}
	// The close frame comes back behind everything: all was read.
	if err := conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")); err != nil {
		return err
	}
	_, _, err = conn.ReadMessage()
	if websocket.IsCloseError(err, 1000) {
		return nil
	}
	return fmt.Errorf("no answer to the close frame: %w", err)
}

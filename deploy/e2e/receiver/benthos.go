package main

import (
	"context"
	"fmt"
	"log"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// serveBenthos is a stream of Benthos with the input http_server, which takes WebSocket messages on /.
func serveBenthos(r *recorder, addr string) {
	fmt.Printf("listening on %s\n", addr)
	log.Fatal(runBenthos(r, fmt.Sprintf(`http_server: {address: %q, ws_path: /}`, addr)))
}

// readBenthos is a stream of Benthos with the input websocket, which connects to the stream of an agent.
func readBenthos(r *recorder, url string) {
	fmt.Println("opened")
	log.Fatal(runBenthos(r, fmt.Sprintf(`websocket: {url: %q}`, url)))
}

// runBenthos records the messages of an input.
func runBenthos(r *recorder, input string) error {
	builder := service.NewStreamBuilder()
	if err := builder.SetLoggerYAML("level: WARN"); err != nil {
		return err
	}
	if err := builder.AddInputYAML(input); err != nil {
		return err
	}
	err := builder.AddConsumerFunc(func(_ context.Context, m *service.Message) error {
		message, err := m.AsBytes()
		if err == nil {
			r.take("-", false, message)
		}
		return err
	})
	if err != nil {
		return err
	}
	stream, err := builder.Build()
	if err != nil {
		return err
	}
	return stream.Run(context.Background())
}

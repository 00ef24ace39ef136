package main

import (
	"context"
	"fmt"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// serveBenthos is a stream of Benthos with the input http_server, which takes WebSocket messages on /.
func serveBenthos(r *recorder, addr string) error {
	builder := service.NewStreamBuilder()
	if err := builder.SetLoggerYAML("level: WARN"); err != nil {
		return err
	}
	if err := builder.AddInputYAML(fmt.Sprintf(`http_server: {address: %q, ws_path: /}`, addr)); err != nil {
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
	fmt.Printf("listening on %s\n", addr)
	return stream.Run(context.Background())
}

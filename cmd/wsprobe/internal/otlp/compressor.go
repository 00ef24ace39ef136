package otlp

import (
	"io"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// compressor compresses the requests of gRPC as those of HTTP, fast rather than small.
type compressor struct{}

func (compressor) Type() string { return "gzip" }

func (compressor) Do(w io.Writer, request []byte) error { return outbox.PackTo(w, request) }

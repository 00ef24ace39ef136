package outbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// maxRequest bounds the bytes of an unpacked request, because a few kilobytes of gzip can become gigabytes of zeros.
const maxRequest = 8 << 20

// Pack compresses a request with gzip, fast rather than small.
func Pack(request []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(request); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// unpack returns the request that Pack compressed.
func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	request, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing a batch: %w", err)
	}
	if len(request) > maxRequest {
		return nil, fmt.Errorf("decompressing a batch: it has more than %d bytes", maxRequest)
	}
	return request, nil
}

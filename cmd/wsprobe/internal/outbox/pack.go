package outbox

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// maxRequest bounds the bytes of an unpacked request, because a few kilobytes of gzip can become gigabytes of zeros.
const maxRequest = 8 << 20

// Pack compresses a request with gzip, fast rather than small: points are so alike that the best level saves little.
func Pack(request []byte) ([]byte, error) {
	var packed bytes.Buffer
	if err := PackTo(&packed, request); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// PackTo is [Pack] for a writer.
func PackTo(w io.Writer, request []byte) error {
	z := packers.Get().(*gzip.Writer)
	defer func() {
		z.Reset(nil) // it would keep the writer alive
		packers.Put(z)
	}()
	z.Reset(w)
	if _, err := z.Write(request); err != nil {
		return err
	}
	return z.Close()
}

// packers are kept, because one takes more than half a megabyte.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // it fails only for a level that there is not
	return w
}}

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

package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"time"
)

// MaxContent is the longest content of a batch, in bytes. A file that says that it has more is damaged.
const MaxContent = 16 << 20

const (
	magic      = "WSPROBE\n"
	version    = 1
	headerSize = 36
	sumAt      = headerSize - 4 // where the checksum stands
)

// Size is the size of the file of a content.
func Size(content int) int64 { return headerSize + int64(content) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what a file says about its content.
type header struct {
	items  int
	time   time.Time
	length int64
	sum    uint32
}

// encode returns a file.
func encode(at time.Time, items int, content []byte) []byte {
	file := make([]byte, 0, headerSize+len(content))
	file = append(file, magic...)
	file = binary.BigEndian.AppendUint32(file, version)
	file = binary.BigEndian.AppendUint32(file, uint32(items))
	file = binary.BigEndian.AppendUint64(file, uint64(at.UnixNano()))
	file = binary.BigEndian.AppendUint64(file, uint64(len(content)))
	file = binary.BigEndian.AppendUint32(file, checksum(file, content))
	return append(file, content...)
}

// checksum is that of the part of a header before it, and of a content.
func checksum(before, content []byte) uint32 {
	return crc32.Update(crc32.Checksum(before[:sumAt], castagnoli), castagnoli, content)
}

// decodeHeader reads the header of a file of this size.
func decodeHeader(b []byte, size int64) (header, error) {
	switch {
	case !strings.HasPrefix(magic, string(b[:min(len(b), len(magic))])):
		return header{}, errors.New("it is no batch")
	case len(b) < headerSize:
		return header{}, errors.New("it is cut off")
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != version {
		return header{}, fmt.Errorf("its format has the version %d, not %d", v, version)
	}
	length := binary.BigEndian.Uint64(b[24:])
	if length > MaxContent {
		return header{}, errors.New("it is too long")
	}
	if int64(length)+headerSize != size {
		return header{}, errors.New("it is cut off")
	}
	return header{
		items:  int(binary.BigEndian.Uint32(b[12:])),
		time:   time.Unix(0, int64(binary.BigEndian.Uint64(b[16:]))),
		length: int64(length),
		sum:    binary.BigEndian.Uint32(b[sumAt:]),
	}, nil
}

// decode returns the header and the content of a file.
func decode(file []byte) (header, []byte, error) {
	h, err := decodeHeader(file, int64(len(file)))
	if err != nil {
		return header{}, nil, err
	}
	content := file[headerSize:]
	if checksum(file, content) != h.sum {
		return header{}, nil, errors.New("its checksum is wrong")
	}
	return h, content, nil
}

// WriteFile makes a file that did not exist before, and makes it durable.
func WriteFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readHeader reads the header of a file. The error of a file that is not what it should be is a [*damage].
func readHeader(name string) (header, error) {
	f, size, err := open(name)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	b := make([]byte, headerSize)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return header{}, err
	}
	h, err := decodeHeader(b[:n], size)
	if err != nil {
		return header{}, &damage{err}
	}
	return h, nil
}

// readFile reads a file. The error of a file that is not what it should be is a [*damage].
func readFile(name string) (header, []byte, error) {
	f, size, err := open(name)
	if err != nil {
		return header{}, nil, err
	}
	defer f.Close()
	if size > headerSize+MaxContent {
		return header{}, nil, &damage{errors.New("it is too long")}
	}
	file := make([]byte, size)
	if _, err := io.ReadFull(f, file); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return header{}, nil, &damage{errors.New("it is cut off")}
	} else if err != nil {
		return header{}, nil, err
	}
	h, content, err := decode(file)
	if err != nil {
		return header{}, nil, &damage{err}
	}
	return h, content, nil
}

// open opens a regular file, and nothing else: a pipe would never end.
func open(name string) (*os.File, int64, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &damage{errors.New("it is no file")}
	}
	f, err := os.Open(name)
	return f, info.Size(), err
}

// damage says why a file is no batch.
type damage struct{ why error }

func (d *damage) Error() string { return d.why.Error() }

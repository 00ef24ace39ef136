package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// Limits of what is read into memory.
const (
	maxFile = 64 << 20
	maxPEM  = 1 << 20
)

// readFile reads a file, a pipe or a device, up to a limit. Its errors are short: the caller names the file.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a directory")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %d MiB", limit>>20)
	}
	return data, nil
}

// bare returns the cause of an error without the operation and the file's name.
func bare(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// textFault finds what no YAML parser would take, and says it better. The offset is that of the character.
func textFault(data []byte) (problem string, offset int) {
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
				return fmt.Sprintf("must not contain the control character %U", c), i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return "must be UTF-8", i
		case r > 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff:
			return fmt.Sprintf("must not contain the control character %U", r), i
		}
		i += size
	}
	return "", 0
}

// place returns the line and the column of an offset, as people and the YAML parser count them: from 1, lines
// ended by LF, CR or both, columns in characters, a byte order mark not counted.
func place(data []byte, offset int) (line, column int) {
	before := data[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	for i, c := range before {
		if c == '\r' && (i+1 == len(data) || data[i+1] != '\n') {
			line++
		}
	}
	start := bytes.LastIndexAny(before, "\r\n") + 1
	text := bytes.TrimPrefix(before[start:], []byte("\ufeff"))
	return line, 1 + utf8.RuneCount(text)
}

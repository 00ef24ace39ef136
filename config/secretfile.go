package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// maxSecret is the longest secret, in bytes.
const maxSecret = 64 << 10

// readSecret reads a file that holds a secret.
func readSecret(name string) (string, error) {
	data, err := readRegular(name, maxSecret)
	return string(data), err
}

// readRegular reads a file up to a limit. Its errors are short, the caller names the file, and repeat nothing of what is
// in it. It never waits for somebody to write: what is no regular file, a FIFO for instance, is refused. Links are
// followed; mounted secrets are links.
func readRegular(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, bare(err)
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("is no regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, bare(err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("is larger than %d KiB", limit>>10)
	}
	return data, nil
}

// readLine reads a secret that is one line. Line ends at its end do not count.
func readLine(name string) (string, error) {
	text, err := readSecret(name)
	if err != nil {
		return "", err
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" {
		return "", errors.New("is empty")
	}
	return text, nil
}

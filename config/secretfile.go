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

// readSecret reads a file that holds a secret. Its errors are short, the caller names the file, and repeat nothing of
// what is in it. It never waits for somebody to write: what is no regular file, a FIFO for instance, is
// refused. Links are followed; mounted secrets are links.
func readSecret(name string) (string, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", bare(err)
	case info.IsDir():
		return "", errors.New("is a directory")
	case !info.Mode().IsRegular():
		return "", errors.New("is no regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return "", bare(err)
	case len(data) > maxSecret:
		return "", fmt.Errorf("is larger than %d KiB", maxSecret>>10)
	}
	return string(data), nil
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

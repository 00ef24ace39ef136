package config

import (
	"errors"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// maxSecret is the most bytes of a secret.
const maxSecret = 64 << 10

// readLine reads a secret that is one line. Line ends at its end do not count.
func readLine(name string) (string, error) {
	data, err := readfile.Regular(name, maxSecret)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", errors.New("is empty")
	}
	return text, nil
}

package probe

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// MessageFormat is how the messages of a Spec are written.
type MessageFormat string

// The message formats. The last two stand for the bytes of a binary message; blanks and line ends in them mean nothing.
const (
	FormatText   MessageFormat = "text"
	FormatBase64 MessageFormat = "base64" // RFC 4648 4, with padding
	FormatHex    MessageFormat = "hex"
)

// MessageFormats returns every message format.
func MessageFormats() []MessageFormat {
	return []MessageFormat{FormatText, FormatBase64, FormatHex}
}

// Decode returns the bytes that a text of the format stands for. The error says how to write it, and repeats nothing.
func (f MessageFormat) Decode(text string) ([]byte, error) {
	if f == FormatText {
		return []byte(text), nil
	}
	text = strings.Join(strings.Fields(text), "")
	if f == FormatHex {
		out, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("must be hexadecimal digits, two for each byte")
		}
		return out, nil
	}
	out, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("must be base64 with padding (RFC 4648 4)")
	}
	return out, nil
}

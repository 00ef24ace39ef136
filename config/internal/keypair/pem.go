package keypair

import (
	"bytes"
	"encoding/pem"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// maxPEM is the most bytes of a file with certificates or keys.
const maxPEM = 1 << 20

// The types of PEM blocks (RFC 7468).
const (
	keyType          = "PRIVATE KEY" // with or without the algorithm before it
	encryptedKeyType = "ENCRYPTED PRIVATE KEY"
	certificateType  = "CERTIFICATE"
)

// beginPEM is how PEM begins (RFC 7468 2).
const beginPEM = "-----BEGIN "

// IsInline reports whether a text is PEM itself, and not the name of a file.
func IsInline(source string) bool { return strings.Contains(source, beginPEM) }

// readSource returns the content of a file, or the text itself if it is PEM.
func readSource(source string) (data []byte, problem string) {
	if IsInline(source) {
		return []byte(source), ""
	}
	data, err := readfile.Regular(source, maxPEM)
	if err != nil {
		return nil, "cannot read " + excerpt.Quote(source) + ": " + err.Error()
	}
	return data, ""
}

// named ends a message with the name of the file, if it is one.
func named(source string) string {
	if IsInline(source) {
		return ""
	}
	return ": " + excerpt.Quote(source)
}

// isPEM reports whether there is PEM in the data, whatever it holds.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte(beginPEM)) }

// pemBlock returns the first block of PEM with a type that ends so.
func pemBlock(data []byte, suffix string) *pem.Block {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil || strings.HasSuffix(block.Type, suffix) {
			return block
		}
	}
}

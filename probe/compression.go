package probe

// Compression says whether messages may be compressed.
type Compression string

// The ways to treat compression.
const (
	CompressionOff Compression = "off"
	// CompressionOn offers permessage-deflate, as browsers do. A server may decline.
	CompressionOn Compression = "on"
)

// Compressions returns every way to treat compression.
func Compressions() []Compression { return []Compression{CompressionOff, CompressionOn} }

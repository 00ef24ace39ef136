package prometheus

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/common/expfmt"
)

// Answers make an [Answer] to each request. Several goroutines may use them.
type Answers struct {
	zips sync.Pool // of *gzip.Writer, to be used again
}

// Answer is how a request wants families: an [Encoder] in the format that it prefers, and compressed if it can be.
type Answer struct {
	*Encoder
	of  *Answers
	zip *gzip.Writer // nil for none
}

// Open begins the answer to a request.
func (all *Answers) Open(w http.ResponseWriter, r *http.Request) *Answer {
	format := expfmt.NegotiateAccept(r.Header, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim, expfmt.FmtText)
	h := w.Header()
	h.Add("Vary", "Accept")
	h.Add("Vary", "Accept-Encoding")
	h.Set("Content-Type", string(format))
	a, to := &Answer{of: all}, io.Writer(w)
	if takesGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		a.zip = all.zip(w)
		to = a.zip
	}
	a.Encoder = NewEncoder(to, format)
	return a
}

// Close ends the answer. The error says that it did not arrive: mostly, the client has gone.
func (a *Answer) Close() error {
	err := a.Encoder.Close()
	if a.zip == nil {
		return err
	}
	if err == nil {
		err = a.zip.Close()
	}
	a.zip.Reset(nil)
	a.of.zips.Put(a.zip)
	return err
}

// zip returns a compressor. Samples resemble each other so much that the fastest way makes them small.
func (all *Answers) zip(to io.Writer) *gzip.Writer {
	if used, ok := all.zips.Get().(*gzip.Writer); ok {
		used.Reset(to)
		return used
	}
	zip, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		panic(err) // there is no such level
	}
	return zip
}

// takesGzip reports whether a client takes gzip (RFC 9110 12.5.3).
func takesGzip(h http.Header) bool {
	named, any := -1.0, -1.0
	for _, coding := range strings.Split(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		weight := 1.0
		if q, there := strings.CutPrefix(strings.TrimSpace(parameter), "q="); there {
			weight, _ = strconv.ParseFloat(q, 64) // 0 for what is no number
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			named = weight
		case "*":
			any = weight
		}
	}
	if named < 0 {
		named = any
	}
	return named > 0
}

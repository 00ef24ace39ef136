package main

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// onceView is a result as a line of JSON. The doc tags are the README's.
type onceView struct {
	*metrics.Observation
	onceKeys
}

// MarshalJSON returns one object with the keys of both.
func (v onceView) MarshalJSON() ([]byte, error) {
	object, err := v.Observation.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var rest bytes.Buffer
	keys := json.NewEncoder(&rest)
	keys.SetEscapeHTML(false) // the encoder that calls this method escapes if it is to
	if err := keys.Encode(v.onceKeys); err != nil {
		return nil, err
	}
	return slices.Concat(object[:len(object)-1], []byte(","), rest.Bytes()[1:]), nil
}

// onceKeys are what only `once` tells.
type onceKeys struct {
	Reply    *string     `json:"reply" doc:"beginning of the message that was waited for, at most 1024 bytes of it; of an exchange, that of the last step that waits; null if none came"`
	Held     bool        `json:"session_opened_once,omitempty" doc:"true for a probe with a session: it was opened once, and had its exchange and nothing more"`
	Run      int         `json:"run,omitempty" doc:"with -n: the number of the run, from 1"`
	Request  []string    `json:"request,omitempty" doc:"with -v: head of the request, line by line, without secrets"`
	Response []string    `json:"response,omitempty" doc:"with -v: head of the response"`
	TLS      *tlsView    `json:"tls,omitempty" doc:"with -v: version, cipher, alpn, verified, and chain: subject, issuer, names, not_before and not_after of each certificate"`
	Frames   []frameView `json:"frames,omitempty" doc:"with -v: at_ms, from (probe or server), connection (of an exchange over several, but for main), kind, final, compressed, bytes and text of each frame, at most 200 and the close frames"`
	Unseen   int         `json:"frames_left_out,omitempty" doc:"with -v: how many more frames there were"`
}

type tlsView struct {
	Version  string            `json:"version"`
	Cipher   string            `json:"cipher"`
	ALPN     string            `json:"alpn"`
	Verified bool              `json:"verified"`
	Chain    []certificateView `json:"chain"`
}

type certificateView struct {
	Subject string    `json:"subject"`
	Issuer  string    `json:"issuer"`
	Names   []string  `json:"names"`
	From    time.Time `json:"not_before"`
	Until   time.Time `json:"not_after"`
}

type frameView struct {
	At         float64 `json:"at_ms"`
	From       string  `json:"from"`
	Connection string  `json:"connection,omitempty"`
	Kind       string  `json:"kind"`
	Final      bool    `json:"final"`
	Compressed bool    `json:"compressed"`
	Bytes      uint64  `json:"bytes"`
	Text       string  `json:"text"`
}

// messageView is a message that came while a probe listened.
type messageView struct {
	Probe string  `json:"probe"`
	At    float64 `json:"at_ms"`
	Kind  string  `json:"kind"`
	Bytes int     `json:"bytes"`
	Text  string  `json:"text"`
}

// jsonDisplay prints a line for each result, each message that came by itself, and each sum of several runs.
type jsonDisplay struct {
	mu      sync.Mutex
	out     *json.Encoder
	verbose bool
	words   reasons.Words
	series  seriesOf
}

func newJSONDisplay(w io.Writer, verbose bool, words reasons.Words) *jsonDisplay {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // it goes to a terminal or to jq
	return &jsonDisplay{out: out, verbose: verbose, words: words, series: make(seriesOf)}
}

func (d *jsonDisplay) print(value any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.Encode(value)
}

func (d *jsonDisplay) message(p config.Probe, m probe.Message) error {
	return d.print(map[string]messageView{"message": {p.Name, probe.Millis(m.At), messageKind(m), m.Bytes, m.Text}})
}

func messageKind(m probe.Message) string {
	if m.Binary {
		return "binary"
	}
	return "text"
}

func (d *jsonDisplay) each(s shot) error {
	d.series.add(s)
	return d.print(d.view(s))
}

func (d *jsonDisplay) view(s shot) onceView {
	o := s.observation(d.words)
	v := onceView{Observation: &o}
	v.Run, v.Held = s.number, s.probe.Session != nil
	if n := len(s.watch.Replies); n > 0 && s.result.Replied {
		v.Reply = &s.watch.Replies[n-1].Text
	}
	if !d.verbose {
		return v
	}
	v.Request, v.Response, v.Unseen = s.watch.Request, s.watch.Response, s.watch.Unseen
	for _, f := range s.watch.Frames {
		from := "server"
		if f.Sent {
			from = "probe"
		}
		v.Frames = append(v.Frames, frameView{probe.Millis(f.At), from, f.Connection, f.Kind(), f.Final, f.Compressed, f.Length, f.Preview})
	}
	if seen := s.watch.TLS; seen != nil {
		v.TLS = &tlsView{Version: tlsVersionName(seen), Cipher: tlsCipherName(seen), ALPN: seen.ALPN, Verified: seen.Verified}
		for _, c := range seen.Chain {
			v.TLS.Chain = append(v.TLS.Chain, certificateView{c.Subject, c.Issuer, c.Names, c.From.UTC(), c.Until.UTC()})
		}
	}
	return v
}

func (d *jsonDisplay) sum(probes []config.Probe) error {
	for _, p := range probes {
		s := d.series[p.Name]
		if s == nil || s.runs == 1 && s.single {
			continue
		}
		if err := d.print(map[string]summaryView{"summary": s.view(p)}); err != nil {
			return err
		}
	}
	return nil
}

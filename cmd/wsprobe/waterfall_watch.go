package main

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe"
)

// shownNames is how many names of a certificate are shown.
const shownNames = 8

// writeWatch shows what went over the connection: the certificates, the heads and the frames.
func (d *textDisplay) writeWatch(b *strings.Builder, s shot) {
	d.writeTLS(b, s.watch.TLS)
	d.writeHead(b, ">", s.watch.Request)
	d.writeHead(b, "<", s.watch.Response)
	d.writeFrames(b, s.watch.Frames, s.watch.Unseen)
}

// Of many frames the first and the last ones are shown.
const (
	firstFrames = 40
	lastFrames  = 10
)

func (d *textDisplay) writeFrames(b *strings.Builder, frames []probe.Frame, unseen int) {
	last := len(frames)
	if unseen == 0 {
		last = max(0, last-lastFrames)
	}
	for last > 0 && frames[last-1].Kind() == "close" { // they alone are behind those that were not kept
		last--
	}
	first := min(firstFrames, last)
	unseen += last - first
	for _, f := range frames[:first] {
		b.WriteString(d.frameLine(f))
	}
	if unseen > 0 {
		fmt.Fprintf(b, "%16s  and %s that are not shown\n", "...", plural(unseen, "frame"))
	}
	for _, f := range frames[last:] {
		b.WriteString(d.frameLine(f))
	}
	if len(frames) > 0 {
		b.WriteByte('\n')
	}
}

func (d *textDisplay) writeTLS(b *strings.Builder, seen *probe.Secured) {
	if seen == nil {
		return
	}
	agreed := "no agreement"
	if seen.Version != 0 {
		agreed = tlsVersionName(seen) + ", " + tlsCipherName(seen)
		if seen.ALPN != "" {
			agreed += ", " + seen.ALPN + " by ALPN"
		}
	}
	if !seen.Verified {
		agreed += "; the certificate is not verified"
	}
	writeFact(b, d.ink, fact{"tls", agreed})
	for i, c := range seen.Chain {
		text := c.Subject
		if len(c.Names) > 0 {
			text += " for " + strings.Join(c.Names[:min(len(c.Names), shownNames)], ", ")
		}
		if more := len(c.Names) - shownNames; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		text += fmt.Sprintf("; %s to %s; by %s", c.From.UTC().Format(time.DateOnly), c.Until.UTC().Format(time.DateOnly), c.Issuer)
		writeFact(b, d.ink, fact{fmt.Sprintf("cert %d", i+1), text})
	}
	b.WriteByte('\n')
}

func tlsVersionName(seen *probe.Secured) string {
	if seen.Version == 0 {
		return ""
	}
	return tls.VersionName(seen.Version)
}

func tlsCipherName(seen *probe.Secured) string {
	if seen.Cipher == 0 {
		return ""
	}
	return tls.CipherSuiteName(seen.Cipher)
}

// writeHead shows a head, marked with who sent it.
func (d *textDisplay) writeHead(b *strings.Builder, mark string, lines []string) {
	for _, line := range lines {
		for i, part := range wrapped(line, lineWidth-4) {
			if i > 0 {
				part = "  " + part
			}
			b.WriteString("  " + d.ink.faint(mark) + " " + part + "\n")
		}
	}
	if len(lines) > 0 {
		b.WriteByte('\n')
	}
}

// frameLine is a frame on one line: when, from whom, its kind, its length and how it begins.
func (d *textDisplay) frameLine(f probe.Frame) string {
	mark := "<"
	if f.Sent {
		mark = ">"
	}
	kind := f.Kind()
	if f.Opcode == 0 {
		kind = "cont" // as the specification's word is too long for the column
	}
	text := f.Preview
	switch {
	case !f.Final:
		text = "(to be continued)"
	case f.Compressed:
		text = "(compressed) " + text
	}
	if f.Connection != "" {
		text = strings.TrimSpace(fmt.Sprintf("(on %s) %s", f.Connection, text))
	}
	line := frameHead(probe.Millis(f.At), mark, kind, f.Length)
	room := lineWidth - utf8.RuneCountInString(line)
	if runes := []rune(text); len(runes) > room {
		text = string(runes[:room-1]) + "…"
	}
	return strings.TrimRight(line+text, " ") + "\n"
}

// frameHead is what is told of a frame, or a message, before its text.
func frameHead(at float64, mark, kind string, length uint64) string {
	return fmt.Sprintf("%13.3f ms  %s %-6s %8d B  ", at, mark, kind, length)
}

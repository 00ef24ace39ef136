package event

import (
	"cmp"
	"hash/crc32"
	"log/slog"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/probe/visible"
)

// table makes the encoder one of csv. Its name tells the columns, because a message holds rows of the same ones only.
func (e *Encoder) table(o *shape.Options) {
	if len(o.CSVFields) > 0 {
		columns := make([]column, len(o.CSVFields))
		for i, name := range o.CSVFields {
			columns[i] = e.column(name)
		}
		e.columns = columns
	}
	e.delimiter = cmp.Or(o.CSVDelimiter, ",")
	var head []byte
	for i := range e.columns {
		head = e.cell(head, i, e.columns[i].name)
	}
	head = append(head, '\n')
	e.name += "#" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(append(head, e.delimiter...))), 16)
	if o.CSVHeader {
		e.name += " " + string(head)
	}
}

// csv appends an event as a row (RFC 4180, with the line end of Unix). A null is an empty cell.
func (e *Encoder) csv(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	slot := -1
	for i := range e.columns {
		c := &e.columns[i]
		if c.kind == replay {
			dst = e.cell(dst, i, "0")
			slot = len(dst) - 1
			dst = dst[:slot]
			continue
		}
		room.value = e.plain(room.value[:0], c, ev, room)
		dst = e.cell(dst, i, string(room.value))
	}
	return append(dst, '\n'), slot
}

// cell appends a cell, after the delimiter.
func (e *Encoder) cell(dst []byte, i int, s string) []byte {
	if i > 0 {
		dst = append(dst, e.delimiter...)
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if s != "" && s != `\.` && s[0] != ' ' && s[0] != '\t' && !strings.ContainsAny(s, "\"\r\n") && !strings.Contains(s, e.delimiter) {
		return append(dst, s...)
	}
	if s == "" && len(e.columns) > 1 { // the only cell of a row would make an empty line
		return dst
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

// plain appends a value as text: null is empty, and an object or a list is JSON.
func (e *Encoder) plain(dst []byte, c *column, ev *Event, room *scratch) []byte {
	if c.within != nil {
		if c.absent(ev) {
			return dst
		}
		return e.jsonOf(dst, c, ev, room)
	}
	switch v := e.stamp.plain(c.value(ev)); {
	case null(v):
		return dst
	case v.Kind() == slog.KindString:
		return append(dst, v.String()...)
	default:
		return e.stamp.appendJSON(dst, v)
	}
}

// piece is a part of a template.
type piece struct {
	text   string
	column *column // nil for a text
}

// compile makes the encoder one of a template.
func (e *Encoder) compile(template string) {
	parts, _ := shape.Pieces(template)
	for _, p := range parts {
		made := piece{text: p.Text}
		if p.Field != "" {
			c := e.column(p.Field)
			made.column = &c
		}
		e.pieces = append(e.pieces, made)
	}
}

// text appends an event as the template has it. Values are made visible, so that none can begin a line of its own.
func (e *Encoder) text(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	slot := -1
	for _, p := range e.pieces {
		switch {
		case p.column == nil:
			dst = append(dst, p.text...)
		case p.column.kind == replay:
			slot = len(dst)
		default:
			room.value = e.plain(room.value[:0], p.column, ev, room)
			dst = append(dst, visible.Text(string(room.value))...)
		}
	}
	return dst, slot
}

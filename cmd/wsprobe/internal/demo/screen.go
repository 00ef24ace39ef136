package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// refresh is the pace of the screen: fast enough to look alive, slow enough to be read.
	refresh = 250 * time.Millisecond
	// patience is how long the first printed account waits for every endpoint to be heard of.
	patience = 5 * time.Second
	// pace is the time between two printed accounts where there is no screen to draw on.
	pace = 10 * time.Second

	defaultWidth = 100
)

// Control sequences of a terminal (ECMA-48 8.3, and DEC's private mode 25). The alternate screen is not
// used: what was seen last stays when the demo has ended.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	eraseLine  = "\r\x1b[2K" // before a line is written: after a full line it could take its last character away
	eraseBelow = "\x1b[J"
	eraseAll   = "\x1b[H\x1b[2J"
	cursorUp   = "\x1b[%dA"
)

// Screen says how an account is shown. The zero value is for a file or a pipe.
type Screen struct {
	// Page is the address of the status page, or empty.
	Page string
	// Terminal redraws the account in place, with control sequences. Without it, accounts are printed one
	// below the other now and then.
	Terminal bool
	// NoColor leaves the colours of a terminal away.
	NoColor bool
	// Size returns the columns and lines of the terminal, 0 for what is not known. It is asked before each
	// drawing. Default: 100 columns, and as many lines as it takes.
	Size func() (width, height int)
}

// Run shows the account on w until ctx ends, and a last time then. To have the last points in it, end the context after
// they have been received. An error means that w failed.
func (a *Account) Run(ctx context.Context, w io.Writer, s Screen) error {
	if s.Terminal {
		return a.draw(ctx, w, s)
	}
	return a.print(ctx, w, s)
}

// draw keeps one picture up to date.
func (a *Account) draw(ctx context.Context, w io.Writer, s Screen) (err error) {
	if _, err := io.WriteString(w, hideCursor); err != nil {
		return err
	}
	defer func() {
		_, e := io.WriteString(w, showCursor)
		err = errors.Join(err, e)
	}()
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	var c canvas
	for {
		width, height := s.size()
		if err := c.show(w, a.picture(s, width, height), width); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// canvas is the part of a terminal on which the last picture stands.
type canvas struct {
	shown string
	lines int
	width int
}

// show replaces the picture. Nothing is written if it is the same.
func (c *canvas) show(w io.Writer, picture string, width int) error {
	if picture == c.shown && width == c.width {
		return nil
	}
	var b strings.Builder
	switch {
	case c.lines == 0:
	case width != c.width:
		// The terminal has broken the lines anew, so that nobody knows where they stand.
		b.WriteString(eraseAll)
	default:
		fmt.Fprintf(&b, cursorUp, c.lines)
	}
	for l := range strings.Lines(picture) {
		b.WriteString(eraseLine)
		b.WriteString(l)
	}
	b.WriteString("\r" + eraseBelow)
	c.shown, c.lines, c.width = picture, strings.Count(picture, "\n"), width
	_, err := io.WriteString(w, b.String())
	return err
}

// picture is all that is on the screen. What does not fit into its height is cut: a picture that
// scrolls away could not be replaced.
func (a *Account) picture(s Screen, width, height int) string {
	lines := append(s.title(), nil)
	lines = append(lines, a.table(width, time.Now())...)
	switch most := height - 1; {
	case height == 0 || len(lines) < most:
		lines = append(lines, foot)
	case len(lines) > most:
		lines = append(lines[:max(most-1, 0)], line{{"… the window is too low for the rest", quiet}})
	}
	return render(lines, width, !s.NoColor)
}

// foot says how to go on, where there is room for it.
var foot = line{{"next: wsprobe target serves such endpoints, for probes of your own", quiet}}

// title says what is seen, where else to look, and how it ends.
func (s Screen) title() []line {
	second := line{{"Ctrl-C ends the demo", plain}}
	if s.Page != "" {
		second = append(line{{"Page: ", plain}, {s.Page, strong}, {"   ", plain}}, second...)
	}
	return []line{
		{{"wsprobe demo", strong}, {": what the OpenTelemetry back end received over OTLP/gRPC", plain}},
		second,
	}
}

// print writes accounts one below the other, without control sequences.
func (a *Account) print(ctx context.Context, w io.Writer, s Screen) error {
	width, _ := s.size()
	start := time.Now()
	if _, err := io.WriteString(w, render(s.title(), width, false)); err != nil {
		return err
	}
	account := func(what string) error {
		after := time.Since(start).Round(time.Second)
		lines := append([]line{nil, {{fmt.Sprintf("%s after %v", what, after), plain}}}, a.table(width, time.Now())...)
		_, err := io.WriteString(w, render(lines, width, false))
		return err
	}
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	due, first := start.Add(patience), true
	for {
		select {
		case <-ctx.Done():
			return account("The last account,")
		case now := <-ticker.C:
			if early := first && a.Complete(); now.Before(due) && !early {
				continue
			}
			if err := account("Received"); err != nil {
				return err
			}
			due, first = now.Add(pace), false
		}
	}
}

func (s Screen) size() (width, height int) {
	if s.Size != nil {
		width, height = s.Size()
	}
	if width <= 0 {
		width = defaultWidth
	}
	return width, height
}

func render(lines []line, width int, colour bool) string {
	var b strings.Builder
	for _, l := range lines {
		l.write(&b, width, colour)
		b.WriteByte('\n')
	}
	return b.String()
}

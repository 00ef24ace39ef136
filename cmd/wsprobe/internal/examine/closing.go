package examine

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/session"
)

// quiet is the probe that opens connections on which examine says everything itself. Nothing is compressed there.
func (x *examination) quiet() (*probe.Probe, error) {
	s := x.Spec.Run()
	s.MaxReply, s.Compression = probe.MaxMaxReply, probe.CompressionOff
	return probe.New(s)
}

// dial opens such a connection after a pause. It returns nil if that fails.
func (x *examination) dial(ctx context.Context, p *probe.Probe) *bare.Conn {
	if !pause(ctx, courtesy) {
		return nil
	}
	x.opened()
	c, res, _, err := bare.Open(ctx, p)
	if err == nil && c == nil {
		x.progress("a connection does not open: %s", failed(res))
	}
	return c
}

// closes finds out how close frames are answered: with a code, and without one.
func (x *examination) closes(ctx context.Context) error {
	p, err := x.quiet()
	if err != nil {
		return err
	}
	for _, code := range []int{1000, bare.NoCode} {
		c := x.dial(ctx, p)
		if c == nil {
			return nil
		}
		f := x.farewell(c, code)
		c.Close()
		if ctx.Err() != nil {
			return nil
		}
		x.note(func(r *Report) {
			if code == bare.NoCode {
				r.CloseEmpty = f
			} else {
				r.Close = f
			}
		})
		x.progress("%s: %s", saidClose(code), f.outcome())
	}
	return nil
}

func saidClose(code int) string {
	if code == bare.NoCode {
		return "close frame without a code"
	}
	return "close 1000"
}

// farewell says a close frame, and waits for the answer and for the end of the connection.
func (x *examination) farewell(c *bare.Conn, code int) *Farewell {
	c.Until(time.Now().Add(answerTime))
	began := time.Now()
	f := new(Farewell)
	if c.SayClose(code) != nil {
		return f
	}
	for {
		e, err := c.Next()
		switch {
		case err == nil && e.Kind == bare.Closed:
			f.Answered, f.Code, f.Reason = new(seconds(max(0, e.At.Sub(began)))), e.Code, e.Reason
		case err == nil:
		case bare.TimedOut(err):
			return f
		default:
			f.TCPEnded, f.reset = new(seconds(time.Since(began))), errors.Is(err, syscall.ECONNRESET)
			return f
		}
	}
}

// outcome is how the close frame was taken, in words.
func (f *Farewell) outcome() string {
	text := "no close frame comes back"
	if f.Answered != nil {
		text = "answered after " + millis(f.Answered.Duration()) + " by a " + Ending{session.ByClose, f.Code, f.Reason}.String()
	}
	switch {
	case f.TCPEnded == nil:
		return text + "; the server does not end the TCP connection within " + session.Span(answerTime)
	case f.reset:
		return text + "; the server resets the TCP connection"
	case f.Answered == nil:
		return text + ", but the server ends the TCP connection after " + millis(f.TCPEnded.Duration())
	default:
		return text + "; the server ends the TCP connection first"
	}
}

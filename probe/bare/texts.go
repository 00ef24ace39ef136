package bare

import "github.com/wsprobe/wsprobe/probe/internal/frame"

// KeepTexts makes Next return the texts of messages, inflated. The Text of a message of more than limit bytes is nil.
// Call it before the first Next, which then returns messages that came before the run was over, too.
func (c *Conn) KeepTexts(limit int64) {
	left := &c.held.Left
	c.texts = &texts{limit: limit, most: left.Parser.Limit()}
	if left.Agreed != nil {
		c.texts.inflater, c.texts.takeover = frame.NewInflater(), left.Agreed.Takeover()
		c.texts.window = append(c.texts.window, left.Window...)
	}
	if len(left.Early) > 0 { // the parser of the run is behind it
		c.early, c.rest, c.parser, c.broken = true, left.Early, frame.NewParser(left.Parser.Limit(), left.Agreed), nil
	}
}

// pastEarly goes on behind what came too early for the run.
func (c *Conn) pastEarly() {
	if !c.early {
		return
	}
	if c.early, c.parser = false, c.held.Left.Parser; c.held.Left.ClosedAs != nil && c.broken == nil {
		c.broken = c.held.Left.ClosedAs
	}
}

// texts keeps the message under way.
type texts struct {
	limit, most int64
	inflater    *frame.Inflater // nil without compression
	takeover    bool            // a message can refer to those before it
	window      []byte          // of the inflater
	body        []byte          // of the message under way
	inflated    []byte          // the last message that was compressed
	over        bool            // the message is too long, and not needed for the next one
}

// take takes a piece of a message. It returns the text of a message that has ended, unless that is too long.
func (t *texts) take(piece []byte, ended, compressed bool) ([]byte, error) {
	most := t.limit
	if compressed {
		most = t.most // that of the parser bounds it: the next message can refer to this one
		if !t.takeover {
			most = 2 * t.limit
		}
	}
	text := piece
	if !ended || len(t.body) > 0 { // most messages need no copy
		if t.over = t.over || int64(len(t.body)+len(piece)) > most; !t.over {
			t.body = append(t.body, piece...)
		}
		text = t.body
	}
	if !ended {
		return nil, nil
	}
	over := t.over
	defer t.forget()
	if over {
		return nil, nil
	}
	if compressed {
		var err error
		t.inflated, t.window, err = t.inflater.Whole(t.inflated[:0], text, t.window, t.most)
		if !t.takeover {
			t.window = t.window[:0]
		}
		if text = t.inflated; err != nil {
			return nil, err
		}
	}
	if int64(len(text)) > t.limit {
		return nil, nil
	}
	return text, nil
}

// forget makes room for the next message. The text of this one stays as it is until then.
func (t *texts) forget() {
	t.over = false
	if t.body = t.body[:0]; cap(t.body) > 2*chunk {
		t.body = nil
	}
	if int64(cap(t.inflated)) > 2*t.limit && int64(len(t.inflated)) > t.limit {
		t.inflated = nil
	}
}

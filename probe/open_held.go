package probe

import (
	"context"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
)

// Held is the connection of a run that left its socket open. Only package session, which knows what it is made of, can
// use it. The receiver closes Raw.
type Held struct {
	Raw       *tcp.Conn
	Left      frame.Left
	OpenedAt  time.Time // when the 101 came
	SettledAt time.Time // when the last step of the Exchange ended, or else the same

	Texts Texts

	// Name is that of the connection. Others are those that the Exchange has opened beside the main one, which has no
	// name.
	Name   string
	Others []*Held
	// Caught are the texts that groups of the Exchange matched, by their names; nil for none.
	Caught map[string]string
}

// Texts makes the texts of a connection fit for people.
type Texts struct {
	probe   *Probe
	private []string // see run
}

// Refusal is what an open that failed tells beside its Result.
type Refusal struct {
	RetryAfter time.Duration // the wait that the server asks for (RFC 9110 10.2.3), or 0
}

// Open is a run that leaves its socket open if it is ok. StayOpen and Listen have no effect. Held is nil if the run is
// not ok. The error is the cause of a cancelled context, and means that there is no Result.
func (p *Probe) Open(ctx context.Context, options RunOptions) (Result, *Held, Refusal, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, nil, Refusal{}, context.Cause(ctx)
	}
	r, err := p.begin(ctx, options)
	r.stays = true
	defer r.free()
	if r.watcher != nil {
		defer r.main.watcher.finish()
	}
	if err == nil {
		err = r.openAndTalk(ctx)
	}
	if ctx.Err() != nil {
		r.release()
		return Result{}, nil, Refusal{}, context.Cause(ctx)
	}
	refusal := Refusal{RetryAfter: r.attempt.RetryAfter}
	if r.conclude(err, options.Fixed); err != nil {
		r.close(err)
		r.release()
		return r.res, nil, refusal, nil
	}
	held := r.leaveOpen(&r.main, r.res.Started.Add(r.res.Phases[PhaseUpgrade].End))
	if len(r.caught) > 1 { // more than the nonce
		held.Caught = r.caught
	}
	for _, c := range r.all[1:] {
		held.Others = append(held.Others, r.leaveOpen(c, c.openedAt))
	}
	return r.res, held, refusal, nil
}

// leaveOpen leaves a connection to the receiver of a Held.
func (r *run) leaveOpen(c *connection, opened time.Time) *Held {
	held := &Held{Name: c.name, Raw: c.raw, Left: c.wire.Leave(), SettledAt: r.settled, OpenedAt: opened,
		Texts: Texts{probe: r.probe, private: r.private()}}
	c.attempt.Release()
	return held
}

// openAndTalk prepares the run, opens the socket and has the exchange on it.
func (r *run) openAndTalk(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	return r.exchange()
}

// Beginning returns the first limit bytes of a message of the server, visible and without secrets. It needs
// redact.Slack bytes beyond the limit, if there are any. A secret can be split over the message and the one before.
func (t Texts) Beginning(before, message []byte, limit int) string {
	ctx, cancel := context.WithTimeout(context.Background(), hidingTime)
	defer cancel()
	hide := newRedactorWithin(ctx, t.probe.whole(), t.private...)
	return hide.texts([]string{string(before), string(message)}, limit)[1]
}

// Shown makes two texts visible and hides the secrets in them: one of the server, and a sentence of the session.
func (t Texts) Shown(text, sentence string) (string, string) {
	if text == "" && sentence == "" {
		return "", ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), hidingTime)
	defer cancel()
	hide := newRedactorWithin(ctx, t.probe.whole(), t.private...)
	return hide.text(text, frame.MaxControlPayload), hide.sentence(sentence, MaxBodyDetail)
}

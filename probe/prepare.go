package probe

import (
	"context"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// prepare gets what the opening needs and others have, if it needs something. Most runs have no such phase.
func (r *run) prepare(ctx context.Context) error {
	if !r.probe.spec.AuthorizeWaits {
		return nil
	}
	r.enter(reasons.StagePrepare, PhasePrepare)
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	var err error
	r.authorizations, err = r.probe.authorize(ctx)
	r.main.authorization = r.authorizationOf(0)
	if err != nil {
		return err
	}
	r.leave(time.Now())
	return nil
}

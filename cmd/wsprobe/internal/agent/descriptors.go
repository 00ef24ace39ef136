package agent

import (
	"fmt"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/feed"
	"github.com/wsprobe/wsprobe/config"
)

// filesBesides are the files that the agent opens beside its sockets to endpoints, its streams, and the clients of its
// own stream: for name lookups, exports, the spool, the log, and readers of the status page.
const filesBesides = 128

// Fits returns an error if the sessions of a configuration cannot all be open at a time in this process. Each of their
// connections takes a file, and so do those of agent.max_concurrent runs. The error is a phrase about the probes. Go
// itself raises the soft limit of open files to the hard one when the process starts, so this limit is all that can be
// had.
func Fits(cfg config.Config) error { return fits(&cfg, config.DemandOf(cfg.OwnProbes()...)) }

func fits(cfg *config.Config, own config.Demand) error {
	return fitsInto(fileLimit(), cfg.Agent, own, cfg.Streams)
}

// fitsInto is fits for a limit of open files.
func fitsInto(limit uint64, a config.Agent, own config.Demand, streams []config.Stream) error {
	sessions := a.Sessions(own)
	if sessions == 0 { // a run that finds no file fails by itself, and the next one may find one
		return nil
	}
	if a.MaxSessions > 0 && sessions > a.MaxSessions {
		return fmt.Errorf("%d sessions, overlaps of renew: before included, are more than agent.max_sessions, which is %d", sessions, a.MaxSessions)
	}
	besides := filesBesides
	if a.Listen != "" {
		besides += feed.MaxClients
		if len(a.ProbeEndpoint.Targets) > 0 {
			besides += a.ProbeEndpoint.MaxConcurrent
		}
	}
	for _, s := range streams {
		besides += s.Workers
	}
	if files := a.Sockets(own) + besides; uint64(files) > limit {
		return fmt.Errorf("%d sessions need %d open files, with those of agent.max_concurrent, which is %d, and %d besides, and this "+
			"process may have %d: raise its hard limit (ulimit -Hn, LimitNOFILE of systemd) or share the probes (agent.shard)",
			sessions, files, a.MaxConcurrent, besides, limit)
	}
	return nil
}

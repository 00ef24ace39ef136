package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/visible"
)

func newRunCommand() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:        "run -c FILE...",
		Short:      "Run the agent until SIGINT or SIGTERM",
		SuggestFor: []string{"start", "agent", "serve"},
		Args:       noArgs("name the file with -c"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP) // which must not end an agent that is about to start
			defer signal.Stop(hangups)
			agent.BoundLoading(files...)
			var loader config.Loader // so that a reload reads little of what stays the same
			source := agent.NewSource(files, func() (config.Config, error) { return loadBy(loader.Load, files) })
			cfg, err := source.Load()
			if err != nil {
				return err
			}
			if err := agent.Fits(cfg); err != nil {
				return &config.Error{Faults: []config.Fault{{File: filesOf(files), Path: "probes", Problem: err.Error()}}}
			}
			var level slog.LevelVar
			level.Set(cfg.Agent.LogLevel)
			log := newLogger(cmd.ErrOrStderr(), cfg.Agent.LogFormat, &level)
			agent.LogWarnings(log, cfg.Warnings)
			a, err := agent.New(cfg, agent.Options{Version: versionText(), Log: log, LogLevel: &level, Source: source, Hangups: hangups})
			if err == nil {
				err = a.Run(cmd.Context())
			}
			if err != nil {
				return failure{err}
			}
			return nil
		},
	}
	configFlag(cmd, &files)
	return cmd
}

// filesOf shows the files and directories that -c names.
func filesOf(names []string) string { return strings.Join(names, ", ") }

// loadConfig reads the files that -c names.
func loadConfig(files ...string) (config.Config, error) { return loadBy(config.Load, files) }

// loadWithoutSecrets reads them where the secrets are not there.
func loadWithoutSecrets(files ...string) (config.Config, error) {
	return loadBy(config.CheckWithoutSecrets, files)
}

func loadBy(load func(...string) (config.Config, error), files []string) (config.Config, error) {
	if len(files) == 0 || slices.Contains(files, "") {
		return config.Config{}, errors.New("-c FILE is missing")
	}
	cfg, err := load(files...)
	if err != nil {
		return config.Config{}, err
	}
	name := userAgent() // once: it costs as much as a probe
	for i := range cfg.Probes {
		cfg.Probes[i].SetUserAgent(name)
	}
	for i := range cfg.Streams {
		cfg.Streams[i].SetUserAgent(name)
	}
	for _, m := range cfg.Modules {
		m.SetUserAgent(name)
	}
	for i := range cfg.Discover {
		cfg.Discover[i].SetUserAgent(name)
	}
	return cfg, nil
}

// newLogger makes the agent's log in a format of the configuration.
func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC}
	if format == "json" {
		options.ReplaceAttr = func(groups []string, attr slog.Attr) slog.Attr { return visibly(inUTC(groups, attr)) }
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// visibly escapes in a value of a line what JSON allows and terminals obey. The handler of plain text does so itself.
func visibly(attr slog.Attr) slog.Attr {
	switch value := attr.Value; value.Kind() {
	case slog.KindString:
		attr.Value = slog.StringValue(visible.Text(value.String()))
	case slog.KindAny:
		if err, ok := value.Any().(error); ok {
			attr.Value = slog.StringValue(visible.Text(err.Error()))
		}
	}
	return attr
}

// inUTC writes the time of a log line like every other time that wsprobe shows.
func inUTC(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		attr.Value = slog.TimeValue(attr.Value.Time().UTC())
	}
	return attr
}

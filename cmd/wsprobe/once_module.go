package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// ofModule is the probe that a module of the files makes of a URL.
func (f *onceFlags) ofModule(cmd *cobra.Command, args []string) (config.Probe, config.Config, error) {
	var none config.Probe
	switch {
	case len(args) == 0 || len(f.files) == 0:
		return none, config.Config{}, errors.New("--module needs -c FILE and the URL of a target")
	case len(f.names) > 0:
		return none, config.Config{}, errors.New("--probe picks a probe of the file: it does not go with --module")
	}
	if name := f.adhoc.changed(cmd); name != "" {
		return none, config.Config{}, fmt.Errorf("--%s describes the probe of a URL: it does not go with --module", name)
	}
	cfg, err := loadConfig(f.files...)
	if err != nil {
		return none, cfg, err
	}
	i := slices.IndexFunc(cfg.Modules, func(m *config.Module) bool { return m.Name == f.module })
	if i < 0 {
		return none, cfg, fmt.Errorf("--module %q: the file has no module of this name", f.module)
	}
	u, err := url.Parse(args[0])
	if err != nil {
		return none, cfg, errors.New("the target must be a URL, ws:// or wss://")
	}
	port := cmp.Or(u.Port(), map[string]string{"ws": "80", "wss": "443"}[strings.ToLower(u.Scheme)]) // RFC 6455 3
	p, err := cfg.Modules[i].Probe(redact.URL(args[0]), args[0], map[string]string{"address": u.Host, "host": u.Hostname(), "port": port})
	var wrong *config.Error
	if errors.As(err, &wrong) {
		f := wrong.Faults[0]
		err = fmt.Errorf("the module %s cannot probe it: %s: %s", cfg.Modules[i].Name, f.Path, f.Problem)
	}
	return p, cfg, err
}

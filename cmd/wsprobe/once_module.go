package main

import (
	"errors"
	"fmt"
	"slices"

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
	p, err := cfg.Modules[i].ProbeURL(redact.URL(args[0]), args[0])
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		f := wrong.Faults[0]
		err = fmt.Errorf("the module %s cannot probe it: %s: %s", cfg.Modules[i].Name, f.Path, f.Problem)
	} else if err != nil {
		err = fmt.Errorf("the target %w", err)
	}
	return p, cfg, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/demo"
	"github.com/wsprobe/wsprobe/config"
)

// demoPage is where the status page of the demo is, if nobody else is there.
const demoPage = "127.0.0.1:9464"

// afterDemo is what to do next.
const afterDemo = `
What next:
  wsprobe target          serves endpoints like these, for probes of your own
  wsprobe once URL        runs one probe and shows where the time went
  wsprobe check -c FILE   checks a configuration; deploy/examples has some
`

func newDemoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show it all in one process: endpoints, the agent, a back end",
		Args:  noArgs("it brings its own endpoints"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := runDemo(cmd.Context(), cmd.OutOrStdout())
			if err == nil {
				_, err = io.WriteString(cmd.OutOrStdout(), afterDemo)
			}
			if err != nil {
				return failure{err}
			}
			return nil
		},
	}
}

// runDemo serves the endpoints, runs the ordinary agent on them, and shows what its exports brought to a
// receiver. The parts end in the order in which results flow, so that the last picture has the last run.
func runDemo(ctx context.Context, out io.Writer) error {
	endpoints, err := demo.Start()
	if err != nil {
		return err
	}
	defer endpoints.Close()
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	running, err := demoAgent(endpoints, backend.Addr().String())
	if err != nil {
		return errors.Join(err, backend.Close())
	}
	account := demo.NewAccount(endpoints.All)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	receiving, stopReceiving := context.WithCancel(context.WithoutCancel(ctx))
	defer stopReceiving()
	var tasks sync.WaitGroup
	var received, shown error
	tasks.Go(func() {
		received = account.Receiver().Serve(receiving, backend)
		stop()
	})
	tasks.Go(func() {
		shown = account.Run(receiving, out, demoScreen(out, running.ListenAddress()))
		stop()
	})
	probed := running.Run(ctx)
	stopReceiving()
	tasks.Wait()
	return errors.Join(probed, received, shown)
}

// demoAgent is the agent as a configuration of the endpoints would make it. Its log would only disturb the
// picture: what it has to say is in there.
func demoAgent(endpoints *demo.Endpoints, backend string) (*agent.Agent, error) {
	cfg := config.Config{
		Agent: config.Agent{Listen: demoPage, MaxConcurrent: 256, Location: "demo"},
		OTLP: config.OTLP{
			Endpoint:    config.Endpoint{Address: backend},
			Interval:    time.Second,
			Timeout:     5 * time.Second,
			Compression: "gzip",
		},
	}
	for _, e := range endpoints.All {
		p := config.Probe{Name: e.Name, Interval: e.Interval, Labels: e.Labels, Spec: e.Spec, Session: e.Session}
		p.SetUserAgent(userAgent())
		cfg.Probes = append(cfg.Probes, p)
	}
	options := agent.Options{Version: versionText(), Log: slog.New(slog.DiscardHandler)}
	a, err := agent.New(cfg, options)
	if errors.Is(err, syscall.EADDRINUSE) {
		cfg.Agent.Listen = "127.0.0.1:0"
		a, err = agent.New(cfg, options)
	}
	return a, err
}

// demoScreen describes where the account is shown.
func demoScreen(out io.Writer, page string) demo.Screen {
	screen := demo.Screen{Page: fmt.Sprintf("http://%s/", page), NoColor: os.Getenv("NO_COLOR") != ""}
	if o, ok := out.(*output); ok {
		out = o.Writer
	}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		screen.Terminal = true
		screen.Size = func() (int, int) {
			width, height, err := term.GetSize(int(file.Fd()))
			if err != nil {
				return 0, 0
			}
			return width, height
		}
	}
	return screen
}

package agent

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// telemetryOptions says in the exporter's words what the configuration says.
func telemetryOptions(cfg config.Config, o Options, inFlight func() int) telemetry.Options {
	return telemetry.Options{
		Protocol:       telemetry.Protocol(cfg.OTLP.Protocol),
		Endpoint:       cfg.OTLP.Endpoint.URL(),
		TLS:            cfg.OTLP.TLS,
		Headers:        cfg.OTLP.Headers,
		Compression:    telemetry.Compression(cfg.OTLP.Compression),
		Interval:       cfg.OTLP.Interval,
		FirstAfter:     time.Second,
		Timeout:        cfg.OTLP.Timeout,
		SpoolDir:       cfg.OTLP.Spool.Dir,
		QueueBytes:     cfg.OTLP.Spool.MaxBytes,
		QueueAge:       cfg.OTLP.Spool.MaxAge,
		Temporality:    telemetry.Temporality(cfg.OTLP.Temporality),
		Exponential:    cfg.OTLP.Exponential(),
		MaxScale:       cfg.OTLP.MaxScale,
		Scraped:        telemetry.Scraped(cfg.Agent.Metrics.Histograms),
		Logs:           cfg.OTLP.Logs,
		Traces:         cfg.OTLP.Traces,
		TraceRatio:     cfg.OTLP.TraceRatio,
		ServiceName:    cfg.OTLP.Resource.ServiceName,
		ServiceVersion: o.Version,
		InstanceID:     cmp.Or(instanceID(cfg), uuid.NewString()),
		Location:       cfg.Agent.Location,
		PageURL:        cfg.Agent.URL,
		EndMarkers:     cfg.OTLP.EndMarkers,
		Interleave:     cfg.OTLP.Spool.Interleaves(),
		Attributes:     cfg.OTLP.Resource.Attributes,
		Exposition:     cfg.Agent.Listen != "",
		InFlight:       inFlight,
		Logger:         o.Log,
	}
}

// identify returns the attributes of a probe.
func identify(p *config.Probe) (*metrics.Identity, error) {
	shown := p.ShownURL()
	u, err := url.Parse(shown)
	if err != nil {
		return nil, errors.New("url cannot be parsed")
	}
	scheme := strings.ToLower(u.Scheme)
	port := map[string]int{"ws": 80, "wss": 443}[scheme]
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, errors.New("url has a bad port")
		}
	}
	return metrics.NewIdentity(metrics.Target{
		Name:           p.Name,
		Interpretation: p.Headline(),
		Address:        u.Hostname(),
		Port:           port,
		Scheme:         scheme,
		Interval:       p.Interval,
		Path:           u.EscapedPath(),
		URL:            shown,
		Labels:         p.Labels,
	}), nil
}

package agent

import (
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
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
		Logs:           cfg.OTLP.Logs,
		Traces:         cfg.OTLP.Traces,
		TraceRatio:     cfg.OTLP.TraceRatio,
		ServiceName:    cfg.OTLP.Resource.ServiceName,
		ServiceVersion: o.Version,
		InstanceID:     instanceID(cfg),
		Location:       cfg.Agent.Location,
		PageURL:        cfg.Agent.URL,
		EndMarkers:     cfg.OTLP.EndMarkers,
		Interleave:     cfg.OTLP.Spool.Interleaves(),
		Attributes:     cfg.OTLP.Resource.Attributes,
		Scrapes:        cfg.Agent.Listen != "",
		InFlight:       inFlight,
		Logger:         o.Log,
	}
}

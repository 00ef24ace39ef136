package main

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// sessionFlags describe the session of `hold URL`.
type sessionFlags struct {
	openingFlags
	message                           messageFlags
	pingInterval, pingTimeout         time.Duration
	beat, beatExpect, beatPattern     string
	beatJSON                          []string
	beatInterval, beatTimeout         time.Duration
	answers                           []string
	maxSilence, maxLifetime           time.Duration
	sequence, sentAt, renew           string
	reconnectShortest, reconnectLimit time.Duration
}

// sessionNames names the flag for each field of a session's Spec, for the messages.
var sessionNames = map[string]string{
	"PingInterval": "--ping-interval", "PingTimeout": "--ping-timeout", "MaxSilence": "--max-silence", "Sequence": "--sequence",
	"SentAt": "--sent-at", "MaxLifetime": "--max-lifetime", "Renew": "--renew", "Answers": "--answer",
	"Reconnect.Min": "--reconnect-min", "Reconnect.Max": "--reconnect-max",
	"Heartbeat": "--heartbeat", "Heartbeat.Expect": "--heartbeat-expect", "Heartbeat.ExpectPattern": "--heartbeat-expect-pattern",
	"Heartbeat.ExpectJSON": "--heartbeat-expect-json", "Heartbeat.Interval": "--heartbeat-interval", "Heartbeat.Timeout": "--heartbeat-timeout",
}

// heldWords are the flags that hints on a session name in place of the fields of a file.
func heldWords() reasons.Words {
	words := maps.Clone(hintFlags)
	words["send_message"] = "--heartbeat"
	return words
}

// given returns the first of the flags that register adds that was given, or nothing.
func given(cmd *cobra.Command, register func(*pflag.FlagSet)) (name string) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if name == "" && cmd.Flags().Changed(f.Name) {
			name = f.Name
		}
	})
	return name
}

func (f *sessionFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.pingInterval, "ping-interval", 0, "`time` between two Pings (default none are sent)")
	flags.DurationVar(&f.pingTimeout, "ping-timeout", 0, "`time` for each Pong, also longer than the interval (default 10s)")
	flags.StringVar(&f.beat, "heartbeat", "", "`message` to send at intervals, the application's own ping, or @file")
	flags.StringVar(&f.beatExpect, "heartbeat-expect", "", "`text` that its answer contains (default the next message is the answer)")
	flags.StringVar(&f.beatPattern, "heartbeat-expect-pattern", "", "regular `expression` (RE2) that its answer matches")
	flags.StringArrayVar(&f.beatJSON, "heartbeat-expect-json", nil, "`path=value` that holds in its JSON answer; may be repeated")
	flags.DurationVar(&f.beatInterval, "heartbeat-interval", 0, "`time` between two heartbeats (default 30s)")
	flags.DurationVar(&f.beatTimeout, "heartbeat-timeout", 0, "`time` for its answer (default 10s)")
	registerAnswers(flags, &f.answers)
	f.message.register(flags, messageHelp{
		send:          "`message` to send after each open, or @file, or - for standard input",
		expect:        "`text` of the wanted messages (default every message is wanted)",
		expectPattern: "regular `expression` (RE2) that the wanted messages match",
		expectJSON:    "`path=value` that holds in the wanted messages, which are JSON; may be repeated",
	})
	flags.DurationVar(&f.maxSilence, "max-silence", 0, "`time` without a wanted message after which the session is deaf and opens anew (default no limit)")
	flags.StringVar(&f.sequence, "sequence", "", "`path` of a number that rises by one from wanted message to wanted message, as data.seq")
	flags.StringVar(&f.sentAt, "sent-at", "", "`path` of the time at which the server sent a wanted message, RFC 3339 or Unix")
	flags.DurationVar(&f.maxLifetime, "max-lifetime", 0, "`time` after which the session is renewed on purpose (default never)")
	flags.StringVar(&f.renew, "renew", "", "`order` of a renewal: after closes and then opens, before opens first (default after)")
	flags.DurationVar(&f.reconnectShortest, "reconnect-min", 0, "longest `time` before the first reopening, which doubles (default 500ms)")
	flags.DurationVar(&f.reconnectLimit, "reconnect-max", 0, "longest `time` before any reopening (default 1m)")
	f.openingFlags.register(flags, "each open with its exchange")
}

// registerAnswers adds --answer.
func registerAnswers(flags *pflag.FlagSet, answers *[]string) {
	flags.StringArrayVar(answers, "answer", nil, "`text=message` to send whenever a message with the text comes, as 2=3 for Socket.IO; may be repeated")
}

// spec is the session that the flags describe.
func (f *sessionFlags) spec(cmd *cobra.Command, url string) (session.Spec, error) {
	in := &input{from: cmd.InOrStdin()}
	said := probe.Spec{Opening: probe.Opening{URL: url}, Interpretation: probe.HandshakeLatency}
	if err := f.message.fill(cmd, &said, in); err != nil {
		return session.Spec{}, err
	}
	if err := f.fill(cmd, &said.Opening, in); err != nil {
		return session.Spec{}, err
	}
	spec := session.Spec{
		Opening: said.Opening, Timeout: time.Duration(f.timeout), MessageFormat: said.MessageFormat, MaxReply: f.maxMessage,
		Exchange: said.Exchange, Expectation: session.Expectation{Expect: said.Expect, ExpectPattern: said.ExpectPattern, ExpectJSON: said.ExpectJSON},
		PingInterval: f.pingInterval, PingTimeout: f.pingTimeout, MaxSilence: f.maxSilence, Sequence: f.sequence, SentAt: f.sentAt,
		MaxLifetime: f.maxLifetime, Renew: session.Renew(f.renew),
		Reconnect: session.Reconnect{Min: f.reconnectShortest, Max: f.reconnectLimit},
	}
	if cmd.Flags().Changed("send") {
		if spec.Exchange != nil {
			return session.Spec{}, fmt.Errorf("--send: is a step of its own beside --exchange: write it there")
		}
		spec.Exchange = []probe.Step{{Send: &said.Send}}
	}
	if err := f.fillHeartbeat(cmd, &spec, in); err != nil {
		return session.Spec{}, err
	}
	var err error
	if spec.Answers, err = f.message.answers(f.answers); err != nil {
		return session.Spec{}, err
	}
	if faults := spec.Validate(); len(faults) > 0 {
		return session.Spec{}, f.error(faults)
	}
	err = f.withProxy(cmd, &spec.Opening)
	return spec.WithDefaults(), err
}

// fillHeartbeat fills in the heartbeat.
func (f *sessionFlags) fillHeartbeat(cmd *cobra.Command, spec *session.Spec, in *input) error {
	if !cmd.Flags().Changed("heartbeat") {
		for _, name := range []string{"expect", "expect-pattern", "expect-json", "interval", "timeout"} {
			if cmd.Flags().Changed("heartbeat-" + name) {
				return fmt.Errorf("--heartbeat-%s: needs the message of --heartbeat", name)
			}
		}
		return nil
	}
	message, err := in.bytes("--heartbeat", f.beat, f.message.binary)
	if err != nil {
		return err
	}
	facts, err := jsonFacts("--heartbeat-expect-json", f.beatJSON)
	spec.Heartbeat = &session.Heartbeat{
		Send:        f.message.written(string(message)),
		Expectation: session.Expectation{Expect: f.message.written(f.beatExpect), ExpectPattern: f.beatPattern, ExpectJSON: facts},
		Interval:    f.beatInterval, Timeout: f.beatTimeout,
	}
	return err
}

// answers reads the values of --answer.
func (m *messageFlags) answers(texts []string) ([]session.Answer, error) {
	var all []session.Answer
	for i, text := range texts {
		asked, send, ok := strings.Cut(text, "=")
		if !ok || asked == "" || send == "" {
			return nil, fmt.Errorf("--answer number %d: must be text=message", i+1)
		}
		all = append(all, session.Answer{Expectation: session.Expectation{Expect: m.written(asked)}, Send: m.written(send)})
	}
	return all, nil
}

// error speaks of a Spec's faults in terms of the flags, a line for each.
func (f *sessionFlags) error(faults []probe.Fault) error {
	names := make(map[string]string, len(adhocFields)+len(sessionNames))
	for _, of := range []map[string]string{adhocFields, sessionNames} {
		for field, name := range of {
			names[field] = name
		}
	}
	if f.message.exchange == "" {
		names["Exchange"] = "--send"
	}
	return inFlags(faults, names, func(fault probe.Fault) string { return flagWords.Replace(fault.Problem) })
}

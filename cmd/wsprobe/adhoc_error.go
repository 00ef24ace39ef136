package main

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// adhocFields names the flag for each field of a Spec, for the messages.
var adhocFields = map[string]string{
	"URL": "URL", "Send": "--send", "Expect": "--expect", "Interpretation": "--interpretation",
	"Headers": "--header", "Protocols": "--protocol", "Timeout": "--timeout", "Proxy": "--proxy",
	"TLS": "TLS flags", "AnyServerName": "--any-hostname", "ExpectJSON": "--expect-json", "Exchange": "--exchange",
	"MessageFormat": "--hex, --base64, --binary", "ExpectProtocol": "--expect-protocol", "MaxReply": "--max-message-bytes", "StayOpen": "--stay-open",
	"IPVersion": "-4, -6", "Compression": "--compression", "Authorize": "--user, --token",
	"ExpectPattern": "--expect-pattern", "PingMode": "--ping", "ConnectTo": "--connect-to", "ExpectStatus": "--expect-status",
}

// hintFlags are the flags that hints name in place of the fields of a file.
var hintFlags = reasons.Words{
	"auth": "--user or --token", "compression": "--compression", "connect_to": "--connect-to", "expect_json": "--expect-json",
	"expect_message": "--expect", "expect_pattern": "--expect-pattern", "expect_protocol": "--expect-protocol",
	"expect_status": "--expect-status", "headers": "--header", "max_message_bytes": "--max-message-bytes",
	"message_format": "--hex, --base64 or --binary", "protocols": "--protocol", "proxy_url": "--proxy", "send_message": "--send",
	"stay_open_ms": "--stay-open", "timeout_ms": "--timeout", "tls.ca_file": "--ca-file", "tls.cert_file": "--cert-file",
	"tls.key_file": "--key-file", "tls.min_version": "--tls-min", "tls.server_name": "--server-name",
}

// flagWords turns the words of a configuration file into those of the command line. The longer ones come first.
var flagWords = strings.NewReplacer(
	"tls.insecure_skip_verify", "--insecure", "tls.server_name", "--server-name", "tls.min_version", "--tls-min",
	"tls.ca_file", "--ca-file", "tls.cert_file", "--cert-file", "tls.key_file", "--key-file", "tls.verify_hostname: false", "--any-hostname",
	"ping_mode frame", "--ping", "ping_mode: frame", "--ping", "message_format", "--hex, --base64 or --binary",
	"send_message", "--send", "expect_message", "--expect", "expect_pattern", "--expect-pattern", "expect_json", "--expect-json",
	"beside exchange", "beside --exchange", "expect_protocol", "--expect-protocol", "expect_status", "--expect-status",
	"set headers and protocols", "set --header and --protocol", "max_message_bytes", "--max-message-bytes", "timeout_ms", "--timeout", "stay_open_ms", "--stay-open",
	"check auth,", "check --user or --token,", "connect_to", "--connect-to", "proxy_url", "--proxy", "ip_version", "-4 or -6", "compression: on", "--compression",
	"ping_interval", "--ping-interval", "max_lifetime", "--max-lifetime",
)

// error speaks of a Spec's faults in terms of the flags, a line for each.
func (f *adhocFlags) error(faults []probe.Fault) error {
	return inFlags(faults, adhocFields, f.problem)
}

// inFlags speaks of faults in terms of the flags that these names are for, a line for each. Problem says what is wrong.
func inFlags(faults []probe.Fault, names map[string]string, problem func(probe.Fault) string) error {
	var lines []string
	for _, fault := range faults {
		name := cmp.Or(names[fault.Field+"."+fault.Sub], names[fault.Field], fault.Field)
		switch {
		case fault.Key == "":
		case fault.Field == "Headers" || fault.Field == "ExpectJSON":
			name += " " + strconv.Quote(fault.Key)
		case fault.Field == "Exchange":
			name += ": step " + fault.Key
		}
		lines = append(lines, name+": "+problem(fault))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// problem says what is wrong, and where flags do not fit each other which one to give.
func (f *adhocFlags) problem(fault probe.Fault) string {
	m := &f.message
	expects := fault.Field == "Expect" || fault.Field == "ExpectPattern" || fault.Field == "ExpectJSON"
	switch misfit := len(fault.Given) > 0; {
	case fault.Field == "Send" && misfit && !fault.NotAllowed && m.send == "":
		return "is missing: round_trip_latency times the answer to a message; --ping does without one"
	case fault.Field == "PingMode" && misfit:
		return "times an answer, which is no part of " + f.interpretation
	case expects && fault.NotAllowed && m.send == "" && m.exchange == "":
		return "needs a message that is answered: add --send"
	case fault.Field == "ExpectPattern" && fault.NotAllowed && m.expect != "" && m.exchange == "":
		return "goes in place of --expect, not with it"
	default:
		return flagWords.Replace(fault.Problem)
	}
}

// Package config reads the configuration of wsprobe: a YAML file with the environment over it.
//
// [Load] returns the agent, the export and the probes, or an [Error] with everything that is wrong.
//
// The idea is one table. Every field that a person can write stands in it once (see [Fields]), with its kind, its
// default, its range and a sentence about it. [Load] reads by the table, [Schema] is written from it, and the
// README shows it. What a WebSocket probe may be is not decided here but by [probe.Spec.Validate]; this package
// finds the places in the file that its verdicts are about, and speaks of them in the file's words: timeout_ms,
// not Timeout.
//
// A file is read in three steps:
//
//  1. The bytes become a tree of YAML nodes, which know their line and column. The sections agent and otlp of the tree go
//     to viper, which ranks the WSPROBE_ variables above them and the OTEL_ variables below. They go as untouched
//     nodes, because viper would lower-case the names of headers, take true for a number, and forget where a
//     value came from.
//  2. One walk over the tree, guided by the table, fills the domain types. A wrong value is reported at its place
//     and the walk goes on, so that every fault of a file is found at once.
//  3. Each probe inherits from the defaults block and is validated as a whole.
//
// A fault is reported once, and only if it is one for sure: a rule about two fields stays silent when one of them
// is wrong by itself or seems to be misspelled. No message repeats what may be secret: a header's value, a
// message, any part of a URL.
//
// What is valid and can hardly be meant, a timeout that the interval cannot hold for instance, is a warning: a [Fault] in
// [Config.Warnings]. Names that other programs have for a field are told with ours.
//
// # What YAML may say
//
// null, and a key without a value, is as if the key were not there; in the headers and labels of a probe, null
// takes a default away. A text must be one to YAML as well: 1.10, true and 2024-01-01 need quotes. Integers are
// written in decimal digits, durations as Go does. Aliases and merge keys (<<) work, within a limit that keeps a
// small file from standing for a huge one. A key at the top that begins with x- holds anchors: what is below it counts
// where an alias leads to it, and nowhere else. Tags other than YAML's own, keys that are there twice and
// second documents are faults.
//
// # Substitution
//
// In every value, not in keys, ${env:NAME} stands for a variable of the environment and ${file:PATH} for the content of
// a file of at most 64 KiB, less one line end at its end; $${ stands for the two characters. That is settled
// before a value is understood, once: what is put in is not looked at again. A value that was substituted is
// whatever its field wants, a number for instance, in quotes or not.
//
// What is put in is a secret. No message repeats it. Where an endpoint is told it, it becomes one of the Secrets of
// the Spec; in the path of a URL it is left out of [Probe.ShownURL]. The [Digest] of a probe knows a secret by its
// reference only.
//
// [CheckWithoutSecrets] resolves no reference. A value that is nothing but references is unknown, and nothing follows from
// it; in a longer text a stand-in takes their place, so that the rest of it is checked.
//
// # Templates
//
// A [Template] is a probe with placeholders for targets that come and go. [Template.Probe] makes the probe of one target.
//
// # Inheritance
//
// A probe has what it says itself, then what the defaults block says, then the documented default. Its headers and
// labels are laid over the default ones name by name, in headers whatever the case. send_message, expect_message
// and ping_mode of the defaults are for the probes that can use them, and are no fault for the others; an empty
// send_message or expect_message in a probe unsets the default. The fields of tls are inherited one by one, but
// cert_file, key_file and key_password as one, and only by the probes of wss:// endpoints; an empty file name
// unsets the default. The fields of auth are inherited one by one, too, but not by a probe with a strategy of its
// own; a password takes the place of a default password_file, and the other way round.
//
// # Environment
//
// Every setting of agent and otlp that holds one value has a WSPROBE_ variable (see Field.Env), which wins over the
// file even if it is empty. A variable that looks like one and is none is a fault; the service links of
// Kubernetes and Docker are not taken for one.
//
// The OTEL_ variables of the OpenTelemetry specification (see Field.OTel) speak where the file and the WSPROBE_
// variables are silent; an empty one counts as not set. Those that ask for what wsprobe does not do, another
// protocol for instance, are faults unless otlp.endpoint is set by other means. OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SERVICE_NAME always hold.
//
// HTTP_PROXY, HTTPS_PROXY and NO_PROXY are resolved per probe; a proxy that cannot be used is a fault if a probe
// would need it. Names of files are relative to the working directory.
package config

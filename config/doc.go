// Package config reads the configuration of wsprobe.
//
// [Load] takes YAML files and the environment. It returns the agent, the export, the probes and the streams, or an
// [Error] with everything that is wrong.
//
// One table defines every field that a file can have (see [Fields]): its kind, its default, its range and a sentence
// about it. [Load] reads by the table, [Schema] is written from it, and so is the reference in README.md. Package probe
// decides which probes are valid, by [probe.Spec.Validate]. This package finds the places in the file that its faults
// are about, and uses the words of the file: timeout_ms, not Timeout.
//
// A file is read in three steps:
//
//  1. The bytes become a tree of YAML nodes, which know their line and column. The sections agent and otlp of the tree
//     go to viper, which ranks the WSPROBE_ variables above them and the OTEL_ variables below. They go as untouched
//     nodes, because viper would lower-case the names of headers, take true for a number, and forget where a value came
//     from.
//  2. One walk over the tree, guided by the table, fills the domain types. A wrong value is reported at its place, and
//     the walk goes on, so that it finds every fault of a file.
//  3. Each probe inherits from the defaults block and is validated as a whole.
//
// A fault is reported once, and only if it is certain. A rule about two fields says nothing when one of them is wrong
// by itself or seems to be misspelled. No message repeats a possible secret: the value of a header, a message, or a
// part of a URL.
//
// A valid value that is hardly meant is a warning: a [Fault] in [Config.Warnings]. An example is a timeout that is
// longer than the interval. If a field has a name of another program, the fault gives the name that it has here.
//
// # Several files
//
// Load takes files, and directories that stand for their files. Each file is a tree, and one report is about all of
// them: the lines of a file count on from those of the files before, so that a node needs no name of a file. The
// defaults block of a file is for its own probes. Everything else adds up, but agent and otlp, of which there is one.
//
// [Config.Files] and [Error.Files] name what was read or looked for, so that a watch knows what can change the outcome.
// Fields with the mark File are part of it.
//
// # Many probes
//
// Load cuts the list of probes by lines into its items, and parses a few of them at a time, ahead of who reads them. So
// the nodes of all of them are never there at once. The cut counts only if the rest of the file is whole without the
// items, and each batch of them is a list by itself. Otherwise, and for every fault of syntax, the file is parsed
// whole: with an alias to an anchor in an item far above, a list in brackets, several documents, or a directive of
// YAML.
//
// A [Loader] loads again and again. It leaves out the items whose text it knows. What it keeps of a probe holds while
// the rest of the file, the texts that are substituted there, and the environment stay the same. A [Probe.Origin] tells
// that two probes are one and the same.
//
// # YAML
//
// null, or a key without a value, is the same as no key. In the headers and labels of a probe, null removes a default.
// Quote text that YAML would read as another type, such as 1.10, true and 2024-01-01. Integers have decimal digits, and
// durations are written as in Go. Aliases and merge keys (<<) work, within a limit that keeps a small file from
// standing for a huge one. A key at the top that begins with x- holds anchors: its content counts only where an alias
// leads to it. Tags other than YAML's own, duplicate keys and second documents are faults.
//
// # Substitution
//
// In every value, but not in keys, ${env:NAME} stands for a variable of the environment. ${file:PATH} stands for the
// content of a file of at most 64 KiB, without one line end at its end. $${ stands for the two characters ${.
// References are resolved once, before a value is understood. A reference within a substituted text is not resolved. A
// substituted value may be of any type that its field wants, in quotes or not.
//
// A substituted text is a secret, and no message repeats it. If an endpoint is sent it, it becomes one of the Secrets
// of the Spec. If it is part of the path of a URL, [Probe.ShownURL] hides it. The [Digest] of a probe knows a secret by
// its reference only.
//
// [CheckWithoutSecrets] resolves no reference. A value that consists of references is unknown, so that no fault follows
// from it. In a longer text, a stand-in replaces each reference, so that the rest is checked.
//
// # Templates
//
// A [Template] is a probe with placeholders for targets that come and go. [Template.Probe] makes the probe of one
// target.
//
// # Inheritance
//
// A field of a probe has the value in the probe, else the value in the defaults block, else the documented default.
//
//   - Headers and labels are merged name by name; the names of headers are the same in upper and lower case.
//   - send_message, expect_message and ping_mode of the defaults apply to the probes that can use them. An empty
//     send_message or expect_message in a probe removes the default.
//   - The fields of tls are inherited one by one, but cert_file, key_file and key_password together. Only the probes of
//     wss:// endpoints inherit them. An empty file name removes the default.
//   - The fields of auth are inherited one by one, too, but not by a probe with a strategy of its own. A password
//     replaces a default password_file, and the other way round.
//
// A stream inherits nothing: the defaults block is for probes.
//
// # Environment
//
// Every setting of agent and otlp with one value has a WSPROBE_ variable (see Field.Env), which overrides the file even
// if it is empty. An unknown variable with such a prefix is a fault, unless it is a service link of Kubernetes or
// Docker.
//
// The OTEL_ variables of the OpenTelemetry specification (see Field.OTel) apply where neither the file nor a WSPROBE_
// variable sets a value. An empty one counts as not set. A variable that asks for a feature that wsprobe lacks, such as
// another protocol, is a fault unless otlp.endpoint is set by other means. OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SERVICE_NAME always apply.
//
// HTTP_PROXY, HTTPS_PROXY and NO_PROXY are resolved per probe. A proxy that cannot be used is a fault if a probe
// would need it. Names of files are relative to the working directory.
package config

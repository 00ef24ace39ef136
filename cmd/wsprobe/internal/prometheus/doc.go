// Package prometheus writes metrics as Prometheus reads them, for scrapes of the agent, as well as for /probe.
//
// An [Encoder] writes families as text or protobuf and keeps none of them, so that a page of a hundred thousand probes
// takes no more memory than one of ten. [Answers] make one for a request, in the format that it prefers. [FamilyOf] and
// [Labels] have the names.
//
// A [Handler] answers on /probe: one run of a module against the target that the request names, as metrics of that run
// alone. The names are those of blackbox_exporter, so that its dashboards, alerts and relabelling work, and beside them
// those of /metrics. [Table] has the former. A Handler counts no run in a total, keeps no history, and takes no place of
// a scheduled run. Whom it may probe is decided by a [permit.List]; without one it is off.
package prometheus

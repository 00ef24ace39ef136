// Package metrics turns the results of probes into points, whoever exports or shows them.
//
// An [Observation] is the result of one run with the name and the health of its probe. [Fields] is the one table of the facts
// of an Observation: a row has the key of JSON and log lines, the attribute key of log records and spans, and the function
// that reads the value. Lines of the log, log records, spans, the status API and `wsprobe once --json` take their facts from
// there, so that a new fact is one row. An unknown fact has no value; it is never a zero.
package metrics

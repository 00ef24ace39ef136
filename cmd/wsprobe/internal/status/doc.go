// Package status shows the last result of every probe over HTTP.
//
// Programs get JSON, people get a page, and supervisors of the agent get its health and readiness. It is the agent's own view. The back end has the history.
package status

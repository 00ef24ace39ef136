// Package lab has the parts that tests of wsprobe with real back ends share.
//
// They are the agent's binary as a process, an endpoint that records every run that reaches it, and waiting with a limit.
//
// The package is a module of its own without the modules of any back end, so that each back end is
// built from the versions that its own authors chose.
package lab

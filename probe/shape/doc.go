// Package shape says which fields an event has.
//
// An event is a result of a probe that goes to others, see [Fields]. [Options] choose its fields, name them, and say in
// which form they are written. Validate says of each name that is wrong where it stands, so that a configuration can
// show the place.
package shape

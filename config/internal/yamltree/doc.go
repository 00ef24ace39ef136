// Package yamltree reads a YAML file into nodes that know their place.
//
// [Parse] takes the text of a file, which must be one document, and puts in what its references ${env:NAME} and
// ${file:PATH} stand for. A [Reader] returns the entries of mappings, with aliases and merge keys followed, within a
// limit that keeps a small file from standing for a huge one. Every fault goes to a [Report] with its line, its column
// and its [Path]. The Report hides what was substituted, because that is secret.
//
// The package knows no field. Whoever reads a tree says which keys there are, and what their values must be.
package yamltree

// Package yamltree reads a YAML file into nodes that know their place.
//
// [Parse] takes the text of a file, which must be one document, and replaces its references ${env:NAME} and
// ${file:PATH}. A [Reader] returns the entries of mappings, with aliases and merge keys followed. A limit keeps a small
// file from standing for a huge one. Every fault goes to a [Report] with its line, its column and its [Path]. The
// Report hides substituted texts, because they are secret.
//
// The package knows no field. Its caller says which keys there are, and what their values must be.
package yamltree

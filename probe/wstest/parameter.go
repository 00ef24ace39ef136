package wstest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parameter is a time or a whole number that a client may set in the query of a request, as ?after=30s.
type Parameter struct {
	Name string
	// Means says what the endpoint does with it, as a phrase.
	Means string
	// Number says that the value is a whole number. Otherwise it is a time with its unit.
	Number bool
	// Default, Least and Most are whole numbers, or times in nanoseconds.
	Default, Least, Most int64
}

func duration(name, means string, preset, least, most time.Duration) Parameter {
	return Parameter{Name: name, Means: means, Default: int64(preset), Least: int64(least), Most: int64(most)}
}

func number(name, means string, preset, least, most int64) Parameter {
	return Parameter{Name: name, Means: means, Number: true, Default: preset, Least: least, Most: most}
}

// Format writes a value of this parameter as a query has it.
func (p Parameter) Format(value int64) string {
	if p.Number {
		return strconv.FormatInt(value, 10)
	}
	text := time.Duration(value).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// read reads a value. Its error names neither the parameter nor the endpoint.
func (p Parameter) read(text string) (int64, error) {
	kind := "time"
	value, err := int64(0), error(nil)
	if p.Number {
		kind = "whole number"
		value, err = strconv.ParseInt(text, 10, 64)
	} else {
		var d time.Duration
		d, err = time.ParseDuration(text)
		value = int64(d)
	}
	if err != nil || value < p.Least || value > p.Most {
		return 0, fmt.Errorf("must be a %s from %s to %s, as %s, got %s",
			kind, p.Format(p.Least), p.Format(p.Most), p.Format(p.Default), quoted(text))
	}
	return value, nil
}

// quoted makes a text of a client fit to be shown: its beginning, without control characters.
func quoted(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}

// Query is a query that sets every parameter of the endpoint to its default, without a question mark. It is empty
// if there is none.
func (c Case) Query() string {
	var pairs []string
	for _, p := range c.Parameters {
		pairs = append(pairs, p.Name+"="+p.Format(p.Default))
	}
	return strings.Join(pairs, "&")
}

// values reads the query of a request. An unknown parameter is an error, because a slip of the pen would go unseen.
func values(rawQuery string, parameters []Parameter) (map[string]int64, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, errors.New("the query cannot be read")
	}
	all := make(map[string]int64)
	var names []string
	for _, p := range parameters {
		names = append(names, p.Name)
		all[p.Name] = p.Default
		given := query[p.Name]
		switch len(given) {
		case 0:
			continue
		case 1:
			if all[p.Name], err = p.read(given[0]); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		default:
			return nil, fmt.Errorf("%s: is set more than once", p.Name)
		}
	}
	for name := range query {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s: is no parameter of this endpoint, which has %s", quoted(name), strings.Join(names, ", "))
		}
	}
	return all, nil
}

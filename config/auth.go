package config

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// authorizer returns the value of the Authorization field, or the error for want of it.
type authorizer = func(context.Context) (string, error)

// maxSecret is the most bytes of a secret.
const maxSecret = 64 << 10

// authorize returns a function for the value of the Authorization field, or nil for none. It reads files at every call.
//
// The errors name the file by its key and, where that is no secret, by its name.
func (a authSettings) authorize(isSecret func(key string) bool, tokens tokenSource) authorizer {
	named := func(key, file string) string {
		if isSecret(key) {
			return key
		}
		return key + " " + excerpt.Quote(file)
	}
	switch a.strategy {
	case authBasic:
		file := named("password_file", a.passwordIn)
		return func(context.Context) (string, error) {
			password, err := secretOf(file, a.passwordIn, a.password, passwordProblem)
			if err != nil {
				return "", err
			}
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.user+":"+password)), nil
		}
	case authBearer:
		file := named("token_file", a.tokenIn)
		return func(context.Context) (string, error) {
			token, err := secretOf(file, a.tokenIn, a.token, tokenProblem)
			if err != nil {
				return "", err
			}
			return "Bearer " + token, nil
		}
	case authOAuth2:
		return a.authorizeByToken(named("client_secret_file", a.oauth2.secretIn), tokens)
	default:
		return nil
	}
}

// secretOf returns what is in a file, or the text if there is no file. Errors call the file as they are told.
func secretOf(called, file, text string, check func(string) string) (string, error) {
	if file == "" {
		return text, nil
	}
	secret, err := readLine(file)
	if err == nil {
		if problem := check(secret); problem != "" {
			err = errors.New(problem)
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", called, err)
	}
	return secret, nil
}

// readLine reads a secret that is one line. Line ends at its end do not count.
func readLine(name string) (string, error) {
	data, err := readfile.Regular(name, maxSecret)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", errors.New("is empty")
	}
	return text, nil
}

package config

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// authorize returns what tells the value of the Authorization field, or nil for none. Files are read each time.
func (a authSettings) authorize() func() (string, error) {
	switch a.strategy {
	case authBasic:
		return func() (string, error) {
			password, err := secretOf("password_file", a.passwordIn, a.password, passwordProblem)
			if err != nil {
				return "", err
			}
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.user+":"+password)), nil
		}
	case authBearer:
		return func() (string, error) {
			token, err := secretOf("token_file", a.tokenIn, a.token, tokenProblem)
			if err != nil {
				return "", err
			}
			return "Bearer " + token, nil
		}
	default:
		return nil
	}
}

// secretOf returns what is in a file, or the text if there is no file.
func secretOf(key, file, text string, check func(string) string) (string, error) {
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
		return "", fmt.Errorf("%s %s: %w", key, quote(file), err)
	}
	return secret, nil
}

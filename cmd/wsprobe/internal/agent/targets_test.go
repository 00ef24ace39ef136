package agent

import "testing"

func TestTheQueryOfAnAddressIsNotShown(t *testing.T) {
	for address, want := range map[string]string{
		"wss://me:secret@a.example/ws?token=secret": "wss://a.example/ws?[redacted]",
		"a.example:80/ws?token=secret":              "a.example:80/ws?[redacted]",
		"a.example:80":                              "a.example:80",
	} {
		if got := shownAddress(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

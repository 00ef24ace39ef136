// Package token keeps the access tokens of OAuth2 client credentials (RFC 6749 4.4).
//
// A [Cache] has a token for each [Grant]. Whoever asks first fetches it; others wait for the same fetch, each no longer
// than its own context lasts. A fetch goes on without them, within its own bound, so that the next one to ask has the
// token. A token is renewed when most of its life is over, while it is still given out. After a failure nobody asks the
// token server for a while; until then the failure is the answer.
package token

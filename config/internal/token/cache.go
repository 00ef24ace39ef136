package token

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	// fetchTimeout bounds one request to a token server.
	fetchTimeout = 15 * time.Second
	// unknownLife is taken for the life of a token whose server does not tell it.
	unknownLife = 5 * time.Minute
	// longestLife is the longest that a token is kept.
	longestLife = 24 * time.Hour
	// shortestLife is the shortest, also for one that has ended when it comes: the server is asked no more often.
	shortestLife = 2 * time.Second
	// margin is how long before its end a token is no longer given out.
	margin = 10 * time.Second
	// firstPause and longestPause bound the time without a request after a failure. It doubles with each one.
	firstPause, longestPause = time.Second, time.Minute
	// dropPause is the least time between two tokens that are dropped because an endpoint refused them.
	dropPause = 10 * time.Second
	// unused is how long a grant is kept that nobody asks for.
	unused = time.Hour
)

// Grant is what a token is asked for with. Equal grants share a token.
type Grant struct {
	URL, ClientID, Secret string
	Scopes                string // separated by spaces
	Audience              string
	InBody                bool // the client names itself in the body, and not by HTTP Basic
}

// Cache is the tokens of many grants. Its methods may be called by several goroutines.
type Cache struct {
	client *http.Client

	mu     sync.Mutex
	grants map[Grant]*held
}

// held is what is known of a grant.
type held struct {
	value   string // empty for none
	renew   time.Time
	expires time.Time
	err     error // of the last fetch
	pause   time.Duration
	next    time.Time     // no fetch begins before, after a failure
	fetched chan struct{} // closed when the fetch under way ends; nil for none
	used    time.Time
	dropped time.Time
}

// NewCache returns an empty cache, whose requests go by a transport.
func NewCache(transport http.RoundTripper) *Cache {
	return &Cache{grants: make(map[Grant]*held), client: &http.Client{
		Transport:     bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // secrets go nowhere else
	}}
}

// Get returns a token. It waits for a fetch until ctx ends. The error holds no secret of the grant.
func (c *Cache) Get(ctx context.Context, g Grant) (string, error) {
	for {
		h, value, err := c.look(g)
		if h == nil {
			return value, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-h:
		}
	}
}

// look returns the token or the failure of a grant. It begins a fetch if one is due, and returns what ends with it if
// there is nothing to return before.
func (c *Cache) look(g Grant) (wait <-chan struct{}, value string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	h := c.grants[g]
	if h == nil {
		c.sweep(now)
		h = &held{}
		c.grants[g] = h
	}
	h.used = now
	valid := h.value != "" && now.Before(h.expires)
	due := !valid || !now.Before(h.renew)
	if due && h.fetched == nil && !now.Before(h.next) {
		h.fetched = make(chan struct{})
		go c.fetch(g, h)
	}
	switch {
	case valid:
		return nil, h.value, nil
	case h.fetched != nil:
		return h.fetched, "", nil
	default:
		return nil, "", h.err
	}
}

// sweep forgets grants that nobody has asked for in a while: a secret that was rotated is another grant. The caller
// holds the lock.
func (c *Cache) sweep(now time.Time) {
	for g, h := range c.grants {
		if h.fetched == nil && now.Sub(h.used) > unused {
			delete(c.grants, g)
		}
	}
}

// fetch asks for a token. It outlives those who wait for it, and ends within fetchTimeout.
func (c *Cache) fetch(g Grant, h *held) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	value, life, err := c.ask(ctx, g)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if err != nil {
		h.pause = min(max(2*h.pause, firstPause), longestPause)
		h.err, h.next = err, now.Add(h.pause/2+rand.N(h.pause/2))
	} else {
		h.value, h.err, h.pause, h.next = value, nil, 0, time.Time{}
		life = max(life, shortestLife)
		h.expires, h.renew = now.Add(life-min(margin, life/5)), now.Add(life*8/10-rand.N(life/10+1))
		if lead := now.Add(life - 2*margin); life > 4*margin && lead.Before(h.renew) {
			h.renew = lead
		}
	}
	close(h.fetched)
	h.fetched = nil
}

// Drop forgets a token that an endpoint refused, if it is still given out. It does so once in a while only for each grant,
// so that an endpoint that refuses every token is no load for the token server.
func (c *Cache) Drop(value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, h := range c.grants {
		if h.value == value && now.Sub(h.dropped) >= dropPause {
			h.value, h.dropped = "", now
		}
	}
}

package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Store keeps users and tokens. A call that returns nil is on disk.
type Store interface {
	Users(ctx context.Context) ([]User, error)
	// SaveUser adds a user, or changes the one of that name.
	SaveUser(ctx context.Context, u User) error
	DeleteUser(ctx context.Context, name string) error
	Tokens(ctx context.Context) ([]Token, error)
	// SaveToken adds a token, or changes the one of that ID.
	SaveToken(ctx context.Context, t Token) error
	DeleteToken(ctx context.Context, id string) error
}

// Options say who else is let in, and from where.
type Options struct {
	// Networks are those that requests may come from; none means all.
	Networks []netip.Prefix
	// ClientRoles are the roles of clients with a certificate, by its common name.
	ClientRoles map[string]Role
	// Note hears of logins, and of who was not let in; it may be nil.
	Note func(Notice)
	Log  *slog.Logger
}

// Guard knows who may do what. It is safe for concurrent use.
type Guard struct {
	store    Store
	options  Options
	lockout  *lockout
	sessions *sessions
	// hashing bounds the hashes that are computed at once, and so their memory.
	hashing chan struct{}
	// dummy is the hash that an unknown user's password is compared with.
	dummy string
	// key is of the process, for proofs that were checked already.
	key []byte

	// changing orders changes: what is in memory is what is on disk.
	changing sync.Mutex
	mu       sync.Mutex
	users    map[string]User
	tokens   map[string]Token // by digest
	proofs   map[string]proof // by user
	// populated is closed once there is a user.
	populated chan struct{}
}

// proof is that a password was found right for a hash a moment ago.
type proof struct {
	sum   []byte
	hash  string
	until time.Time
}

// proofFor is how long a password that was found right is not hashed again, so that
// a machine that sends one with each request costs a hash a minute.
const proofFor = time.Minute

// hashesAtOnce bounds the memory that logins cost.
const hashesAtOnce = 2

// Open returns a Guard of the users and tokens in the store.
func Open(ctx context.Context, store Store, o Options) (*Guard, error) {
	g := &Guard{
		store: store, options: o, lockout: newLockout(), sessions: newSessions(),
		hashing: make(chan struct{}, hashesAtOnce), dummy: hash(rand.Text()), key: []byte(rand.Text()),
		users: map[string]User{}, tokens: map[string]Token{}, proofs: map[string]proof{}, populated: make(chan struct{}),
	}
	users, err := store.Users(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := store.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		g.users[u.Name] = u
	}
	for _, t := range tokens {
		g.tokens[t.Digest] = t
	}
	if len(users) > 0 {
		close(g.populated)
	}
	return g, nil
}

// Populated is closed once there is a user.
func (g *Guard) Populated() <-chan struct{} { return g.populated }

// Users are all users, by name.
func (g *Guard) Users() []User {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Values(g.users), func(a, b User) int { return compare(a.Name, b.Name) })
}

// Tokens are all tokens, by name and then by ID.
func (g *Guard) Tokens() []Token {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Values(g.tokens), func(a, b Token) int { return compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (g *Guard) user(name string) (User, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, ok := g.users[name]
	return u, ok
}

// sum is what is remembered of a password that was right.
func (g *Guard) sum(password string) []byte {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(password))
	return mac.Sum(nil)
}

// checkRemains refuses a change that leaves no admin among the users: nobody could
// change it back from elsewhere.
func (g *Guard) checkRemains(change func(map[string]User)) error {
	users := maps.Clone(g.users)
	change(users)
	admin := func(u User) bool { return u.Role == Admin }
	if slices.ContainsFunc(slices.Collect(maps.Values(users)), admin) {
		return nil
	}
	for name, u := range g.users {
		if admin(u) {
			return fmt.Errorf("%w: %s is it; give another user the role admin first", ErrLastAdmin, name)
		}
	}
	return fmt.Errorf("%w: the first user has to be an admin, and may then add others", ErrInvalid)
}

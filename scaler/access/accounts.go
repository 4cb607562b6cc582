package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknown is returned for a user or a token that is not there.
var ErrUnknown = errors.New("not found")

// PutUser adds a user, who needs a password and a role then, or changes the role, the
// password or both of the one of that name. The last admin stays one: ErrLastAdmin.
func (g *Guard) PutUser(ctx context.Context, name, password string, role Role) (User, error) {
	g.changing.Lock()
	defer g.changing.Unlock()
	u, exists := g.user(name)
	if !exists {
		u = User{Name: name, CreatedAt: time.Now()}
		if err := checkName("user", name); err != nil {
			return User{}, err
		}
		if password == "" || role == Nobody {
			return User{}, fmt.Errorf("%w: user %s is new, and needs a password and a role", ErrInvalid, name)
		}
	}
	if role != Nobody {
		u.Role = role
	}
	if password != "" {
		if err := checkPassword(password); err != nil {
			return User{}, err
		}
		done, err := g.turn(ctx)
		if err != nil {
			return User{}, err
		}
		u.Hash = hash(password)
		done()
	}
	return u, g.change(func(users map[string]User) { users[name] = u }, func() error { return g.store.SaveUser(ctx, u) })
}

// RemoveUser removes a user, whose sessions end. The last admin stays: ErrLastAdmin.
func (g *Guard) RemoveUser(ctx context.Context, name string) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	if _, ok := g.user(name); !ok {
		return fmt.Errorf("user %s: %w", name, ErrUnknown)
	}
	return g.change(func(users map[string]User) { delete(users, name) }, func() error { return g.store.DeleteUser(ctx, name) })
}

// change keeps a change of the users on disk and then in memory.
func (g *Guard) change(change func(map[string]User), save func() error) error {
	g.mu.Lock()
	err := g.checkRemains(change)
	g.mu.Unlock()
	if err != nil {
		return err
	}
	if err := save(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	before := len(g.users)
	change(g.users)
	select {
	case <-g.populated:
	default:
		if before == 0 && len(g.users) > 0 {
			close(g.populated)
		}
	}
	return nil
}

// CreateToken makes a token and returns its secret, which is kept nowhere. A life of
// 0 is for ever.
func (g *Guard) CreateToken(ctx context.Context, name string, role Role, applications []string, life time.Duration) (Token, string, error) {
	g.changing.Lock()
	defer g.changing.Unlock()
	if err := checkName("token", name); err != nil {
		return Token{}, "", err
	}
	switch {
	case role == Nobody:
		return Token{}, "", fmt.Errorf("%w: token %s needs a role", ErrInvalid, name)
	case role == Admin && len(applications) > 0:
		return Token{}, "", fmt.Errorf("%w: an admin can't be bound to applications", ErrInvalid)
	case life < 0:
		return Token{}, "", fmt.Errorf("%w: a token's life of %s is negative", ErrInvalid, life)
	}
	made := secretPrefix + secret()
	t := Token{ID: rand.Text()[:12], Name: name, Role: role, Applications: slices.Clone(applications), Digest: digest(made), CreatedAt: time.Now()}
	if life > 0 {
		t.ExpiresAt = t.CreatedAt.Add(life)
	}
	if err := g.store.SaveToken(ctx, t); err != nil {
		return Token{}, "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens[t.Digest] = t
	return t, made, nil
}

// RevokeToken ends a token at once.
func (g *Guard) RevokeToken(ctx context.Context, id string) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	for _, t := range g.Tokens() {
		if t.ID != id {
			continue
		}
		if err := g.store.DeleteToken(ctx, id); err != nil {
			return err
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.tokens, t.Digest)
		return nil
	}
	return fmt.Errorf("token %s: %w", id, ErrUnknown)
}

// usedEvery is how exactly the last use of a token is kept.
const usedEvery = time.Minute

// used notes that a token was used. What can't be kept of it is no reason to refuse.
func (g *Guard) used(ctx context.Context, t Token, now time.Time) {
	if now.Sub(t.UsedAt) < usedEvery || !g.changing.TryLock() {
		return
	}
	defer g.changing.Unlock()
	g.mu.Lock()
	current, ok := g.tokens[t.Digest]
	current.UsedAt = now
	if ok {
		g.tokens[t.Digest] = current
	}
	g.mu.Unlock()
	if !ok {
		return // revoked meanwhile
	}
	if err := g.store.SaveToken(ctx, current); err != nil {
		g.options.Log.Warn("note the use of a token", "token", t.ID, "error", err)
	}
}

package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// Token lets a machine in. Its secret is known to who got it only; the Digest is
// what is kept.
type Token struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role" enum:"viewer,operator,admin"`
	// Applications bounds what it is good for; none means all.
	Applications []string  `json:"applications,omitempty"`
	Digest       string    `json:"-"`
	CreatedAt    time.Time `json:"created_at"`
	// ExpiresAt is zero for one that never ends.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// UsedAt is when it was last used, to a minute.
	UsedAt time.Time `json:"used_at,omitzero"`
}

// secretPrefix makes the secrets recognizable for scanners of leaked ones.
const secretPrefix = "scalerd_"

// secret is 256 random bits.
func secret() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // it never fails
	return base64.RawURLEncoding.EncodeToString(bits)
}

// digest is what is kept of a secret. The secret is random, so it needs no salt, and
// who looks the digest up learns nothing from how long that takes.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

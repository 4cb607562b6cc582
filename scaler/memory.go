package scaler

import (
	"maps"

	"github.com/scalerd/scalerd/scaler/policy"
)

// sharedKey is where a group's row keeps the user data that all rules of its
// application share. It is no name of a policy.
const sharedKey = "*"

// memory is what the rules of a group remember while they are evaluated one after
// the other.
type memory struct {
	shared bool
	data   map[string][]byte
}

// memory is what the rules of a group start a tick with.
func (a *application) memory(g *group) memory {
	if a.spec.SharedUserData {
		return memory{shared: true, data: map[string][]byte{sharedKey: a.sharedData}}
	}
	data := maps.Clone(g.row.UserData)
	if data == nil {
		data = map[string][]byte{}
	}
	return memory{data: data}
}

func (m memory) key(policy string) string {
	if m.shared {
		return sharedKey
	}
	return policy
}

func (m memory) recall(policy string) []byte { return m.data[m.key(policy)] }

// remember keeps what a policy leaves; nil leaves what was.
func (m memory) remember(policy string, data []byte) {
	if data != nil {
		m.data[m.key(policy)] = data
	}
}

// userData is what a group's row keeps of what the rules remember after these
// proposals. Where all rules share it the newest of all wins.
func (a *application) userData(before map[string][]byte, proposals []policy.Proposal) map[string][]byte {
	after := maps.Clone(before)
	keep := func(key string, data []byte) {
		if after == nil {
			after = map[string][]byte{}
		}
		after[key] = data
	}
	for _, p := range proposals {
		switch {
		case p.UserData == nil:
		case a.spec.SharedUserData:
			a.sharedData = p.UserData
		default:
			keep(p.Policy, p.UserData)
		}
	}
	if a.spec.SharedUserData && a.sharedData != nil {
		keep(sharedKey, a.sharedData)
	}
	return after
}

// restoreShared takes up the shared user data that a row has. Groups are evaluated
// and opened in the order of the description, so the last one has the newest.
func (a *application) restoreShared(row StoredGroup) {
	if data := row.UserData[sharedKey]; data != nil {
		a.sharedData = data
	}
}

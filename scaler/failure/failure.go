// Package failure tells apart why a cloud refused to do something, from what
// Terraform's diagnostics say: a full zone asks for another kind of machine, a
// throttle only for patience, wrong credentials for a person.
//
// The clouds' codes and words are in one table, in the order in which they are tried.
// They are the providers' own, and no contract: what is not known is Unknown, which
// is retried with a growing wait as any failure is.
package failure

// Kind is why something failed.
type Kind string

const (
	// Unknown is everything that is not one of the others.
	Unknown Kind = "unknown"
	// Quota is a limit of the account or the project.
	Quota Kind = "quota"
	// NoCapacity is a cloud that has none of these machines there at present.
	NoCapacity Kind = "no-capacity"
	// Throttled is an API that was called too often.
	Throttled Kind = "throttled"
	// Timeout is a call without an answer: what it was to make may exist.
	Timeout Kind = "timeout"
	// Exists is a creation of what exists already, as after a call without an answer.
	Exists Kind = "exists"
	// Auth is a login or a permission that is missing.
	Auth Kind = "auth"
	// Config is a description that the cloud can't carry out.
	Config Kind = "config"
)

// Kinds are all kinds, the one that most needs a person first: of a step that
// failed for several reasons it is the first that counts.
var Kinds = []Kind{Auth, Config, Exists, Timeout, Throttled, Quota, NoCapacity, Unknown}

// ElsewhereHelps reports whether another kind of machine, or another zone, may be
// had where this one was refused.
func (k Kind) ElsewhereHelps() bool { return k == Quota || k == NoCapacity }

// NeedsPerson reports whether trying again is pointless until somebody changes the
// credentials or the description.
func (k Kind) NeedsPerson() bool { return k == Auth || k == Config }

// Uncertain reports whether the machine may exist although the creation failed.
func (k Kind) Uncertain() bool { return k == Timeout || k == Exists }

// Advice says what is done about the failure, and what a person can do. It is empty
// for Unknown.
func (k Kind) Advice() string {
	switch k {
	case Quota:
		return "the account's quota is used up: the next offering is tried, if there is one; ask the cloud for more, or free some"
	case NoCapacity:
		return "the cloud has no such machines there at present: the next offering is tried, if there is one; add others to offerings"
	case Throttled:
		return "the cloud's API is called too often: tried again later"
	case Timeout:
		return "the cloud gave no answer: what exists is looked up before it is tried again"
	case Exists:
		return "it exists already: what exists is looked up before it is tried again"
	case Auth:
		return "not tried again before the credentials or the description change: check the credentials and their permissions"
	case Config:
		return "not tried again before the description changes: correct what the cloud refuses, then scalerctl apply"
	default:
		return ""
	}
}

// Worst is the kind that counts of several, and Unknown of none.
func Worst(kinds ...Kind) Kind {
	for _, k := range Kinds {
		for _, have := range kinds {
			if have == k {
				return k
			}
		}
	}
	return Unknown
}

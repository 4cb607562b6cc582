// Package backtest replays a load against a simulated fleet, to see what a policy
// would have done before it touches a cloud.
//
// A World is a Plant (the physics of nodes, balancer and metrics) under a Load,
// with weather: all that happens by chance, drawn in advance from a seed, the same
// for every policy. World.Run drives a Policy through it with a virtual clock, and
// World.Compare sets policies beside two references that the package computes
// itself: the smallest fleet of fixed size that keeps the limit, and a clairvoyant
// that knows the future. Described drives the policies of a description through
// the Decide that the daemon uses; the other built-in policies are those of AWS
// and Kubernetes.
//
// Everything is deterministic: the same inputs give the same bytes.
package backtest

// Package local is the embedded cloud: a node is a process on this machine, and
// a balancer in front of a group is another one.
//
// Terraform owns the processes through provisioners that run `scalerd local
// start` and `scalerd local stop`, which are Start and Stop here; the process
// itself is Run. A process of the name web-0001 keeps four files in its
// directory:
//
//	web-0001.json        its Record: where it listens, since when
//	web-0001.alive       locked by the process for as long as it lives
//	web-0001.start.lock  locked by Start and Stop while they work
//	web-0001.log         what it logged; kept by Stop
//
// Whether a process lives is asked of the kernel, which frees the lock on
// web-0001.alive at any death of its holder, so neither a kill -9 nor a reused
// process id can mislead. Every function may be killed at any point and called
// again. A process whose .alive file was taken away ends itself, since nothing
// could find it any more.
package local

// Package scaler is the control loop: it observes node groups, decides how many
// nodes each needs, and carries that out with Terraform.
//
// Nothing is done before it is on disk that it is about to be done. A decision is
// stored; then each change of a root module is a step in the journal, which goes
// through the phases
//
//	intent -> written -> planned -> applying -> read -> done | failed | undone
//
// and every phase is synced to disk before the next one begins. What terraform does
// to each resource is added while it works, at most every 200 ms, so that the cost
// of a thousand creations is not a thousand syncs. `scalerctl journal` shows it.
//
// # What happens when ...
//
// scalerd is killed (kill -9, out of memory, a bug). At the next start every open
// step is brought to an end, without a human:
//   - before its intent was journalled: the decision is stored, and is carried out
//     from what exists, as at any other tick;
//   - intent: where the node set on disk is the old one the step is undone, and the
//     decision makes a new one; where it is the new one the step goes on as written.
//     A half-written node set can't exist: the file is renamed into its place;
//   - written, planned: nothing was applied. The plan is thrown away and the same
//     step is planned anew. A terraform that plans is killed with scalerd;
//   - applying: terraform leads a session of its own and writes to files, so it goes
//     on without scalerd. The next scalerd finds it, waits for its end, reads what it
//     said and the state, and ends the step. Nothing is decided about the group's
//     nodes meanwhile, and no second terraform is started beside it;
//   - read: as after applying, with a terraform that has ended.
//
// scalerd is stopped (SIGTERM). Terraform is interrupted as by Ctrl-C: it ends what it
// has begun, and writes its state; then scalerd ends. One that was left by an earlier
// scalerd is left to the next one.
//
// terraform is killed, alone or with scalerd. What it had written into the state
// exists and counts. The step fails as interrupted; nothing new is decided about the
// group until the node set that was written is planned and applied once more. A local
// state that was cut short is replaced by the copy that the last whole step left.
// Of a machine that was created and not written, see the lookup of orphans.
//
// The machine is restarted, or loses its power. As a kill of both. A terraform of ours
// is known by its folder and its arguments, so no other process is taken for one. A
// node set is on disk with its name before a step goes on; what else a power cut may
// take back is written again from the description. A folder that is removed is renamed
// before, so that no half of it is taken for a root module that lost its state; its
// remains, and files that were to be renamed into their place, go at the next start.
//
// A provider is killed, or a provider lives on after its terraform was killed. The
// former is a creation whose outcome is not known, see below. The latter are ended
// before anything else runs in their root module: they would keep their memory for
// ever, and could make a machine after it was looked for.
//
// The disk is full. A step is not begun without room for the state, its copies and
// the plan; a decision or a phase that
// can't be journalled is not acted on, and neither is anything after the end of a step
// that can't. When there is room the step is tried again. A group that can't be brought
// up at the start is brought up at the first tick with room; nothing of an application
// that goes is forgotten before all of its groups were.
// Only results of single resources may be missing in the journal then: terraform
// works already, and its state says the same.
//
// terraform can't write its state. It leaves errored.tfstate. Before the next step
// that file is pushed, if it is of the state's lineage and not older; it is kept as
// errored.tfstate.pushed-N. While the backend does not answer, the shard waits. A
// file of another lineage or an older serial stops the shard, with a status that
// names both states: only a person can tell which is right. One that the disk had no
// room for either is put away as errored.tfstate.torn, and the cloud is asked what was
// made; where it can't be, as for a module of yours, a person has to look.
//
// A lock is left in a remote state. If this user took it on this machine, at the time
// and with the operation of a run of ours that was cut short, and no terraform lives
// that could hold it, it is released by its identifier. Locks of local states are
// the kernel's, which frees them when their holder dies: a stale lock file there
// means nothing.
//
// A lock is held by somebody else. The shard waits, tries again every few seconds,
// and changes nothing; its status says who holds the lock since when, and how to
// release it. It goes on by itself. Terraform's http backend does not tell who holds a
// lock, so its server is asked, with the lock request of Terraform's protocol; where it
// does not answer that, also a lock of our own is waited for.
//
// Another scalerd has an application of the same name in the same backend. The first
// thing in a state is an output that says whose it is, pushed under the state's lock.
// Whoever comes second stops, makes nothing and names the first. The last step in a root
// module takes the output away, and who uses it again claims it again. Whose a state is
// goes by what it says: a kill between any two of these steps leaves it ours or nobody's.
//
// The states move, as the description has another backend. Each root module has a file
// that says where its state was, on disk before its backend is another one; what was
// read last is known meanwhile. The next step or drift check reads the state there,
// pushes it, and reads it again before that file goes. Cut short, it begins anew, and
// finds what it has done; what is older than the last step left it is not moved. One
// that fails changes nothing, and another description sends it elsewhere or back.
//
// The cloud refuses a creation: a quota, or no capacity. What was created stays and
// counts. The rest is tried with the group's next offering at once, where it has any,
// else again after 2 s, doubling to 5 min and spread by half, while the status shows
// the cloud's words. Deletions and other groups go on. When less is wanted meanwhile,
// what was refused is forgotten.
//
// The cloud throttles. As a refusal that no other offering helps against; the first
// wait is four times as long.
//
// The cloud refuses the credentials or the configuration. It is tried once more soon,
// because new permissions take a moment, and then every half hour, or as soon as the
// credentials or the description change.
//
// A creation's outcome is not known: its answer was lost, it timed out, its provider
// or its terraform died. Nothing more is created in that shard until the cloud was
// asked, through a lookup. A machine that it shows is adopted where its node is
// wanted, else destroyed. One that is there half made is destroyed, and another node
// takes its place.
//
// The cloud shows late what it made. A lookup that finds nothing counts only when
// --lookup-grace has passed since the creation. A machine that is shown later still
// has been replaced by then: the next periodic lookup finds that its node is there
// twice, and destroys the one that no state has, after it was seen twice with the
// grace between. Of an application that was destroyed meanwhile nobody looks again.
//
// A machine is deleted from outside. The next drift check, or a node that does not
// answer, tells; a node with another name takes its place, unless the group's drift
// policy is to report only.
//
// The clock jumps. Within a running scalerd waits and deadlines follow the monotonic
// clock. Over a restart, instants that lie in the future count as now: a cooldown, a
// hold, the breaker, an offering's penalty, the hour of repairs and a suspicion last at
// most as long as they would have from the start. A clock that went ahead ends them
// early; so does it end the grace of a lookup. A drain has its whole time again where
// its deadline has passed or lies too far ahead. The tests move what is stored, not the
// clock: what comes from another clock, such as the end of an Alertmanager's alert, is
// taken as it is.
//
// scalerd ends while nodes drain. The next one plans their deletion again and calls the
// hook again, which has the time that was left. A node that was drained goes without
// another drain, and one that could not be stays as long as it would have.
//
// An application that goes is cut short anywhere in its end, its folder gone and its
// row not, or the disk too full to forget it. The next start, or tick, goes on.
//
// A second scalerd is started on the same data folder. It ends at once, with a
// sentence that names the process of the first.
package scaler

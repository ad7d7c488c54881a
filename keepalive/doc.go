// Package keepalive decides when to ping a peer, when to give it up, and why.
//
// A TCP connection can die without a word: a router forgets it, a cable is
// pulled, a laptop goes to sleep. A proxy ends one on which nothing was said
// for a minute. Pings (RFC 6455, section 5.5.2) keep the path open and show
// that the peer is still there.
//
// # The schedule
//
// A connection is pinged every [Config.Interval]. The first ping comes at a
// random moment within the first interval, so that many connections accepted
// at once are not pinged at once; from then on pings are due on a fixed grid
// that does not drift.
//
// The peer is given up when a ping has brought no proof of life for
// [Config.Timeout]. The time runs from when the ping was due, not from when it
// was written: a writer that is stuck must not keep a dead connection alive.
// Proof of life is any byte that arrived since the ping was due, or, with
// [Config.Strict], only the pong. A dead link is thus reported within Interval
// + Timeout of the last byte. Timeout may be shorter or longer than Interval;
// if it is longer, pings go on while older ones are unanswered.
//
// A live peer must not be given up because of something on our side or on the
// way. So the clock is not simply a timer:
//
//   - While reading has stopped because the application does not receive what
//     has come, no answer can be seen: the clock stands still and pings go on.
//     The operating system's view of the connection is consulted in its place,
//     so that a dead network is noticed all the same.
//   - While bytes ahead of the ping still leave, the link is slow and not
//     dead: the clock starts anew from the last one that left.
//   - When this process was stopped, or the machine was too busy to run it on
//     time, or was suspended, it pings again and waits again before it gives
//     up; three times in a row at most.
//   - A deadline that is noticed a little late is looked at once more a moment
//     later, for the answer may lie unread in our own buffers.
//   - Before the peer of a connection of Tandem's is given up, whoever reads has
//     to have had a turn, which can take seconds in a process that computes all
//     the time.
//
// Giving up yields a [*TimeoutError] that tells what was seen and names the
// [Cause]: a dead network, a stuck peer, a peer that does not read, or
// ourselves.
//
// [Config.Mode] chooses what is sent: pings, pings only when nothing arrives, or
// pongs that nobody answers.
//
// # The parts
//
// [Monitor] is the schedule. It is pure: it has no goroutine, no lock and no
// clock. Whoever owns a connection asks it what to do next and shows it the
// [Evidence]. Three runners ask on time: [Run] in a goroutine for each
// connection, [Timer] in one that lives only while there is something to do, and
// [Thread] in one goroutine for many. [Stats] keeps count. [Watch] does all of
// this for a connection of another library.
package keepalive

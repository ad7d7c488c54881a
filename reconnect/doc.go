// Package reconnect decides when a client that has lost its server tries again,
// and which errors are not worth another attempt. Reconnect of packages sync
// and async of this module runs it.
//
// # Delays
//
// When a server ends, all of its clients notice at the same moment. If they
// came back at once they would bring the next server down too, so each of them
// waits for a random time first, and for longer the more often it has failed
// (RFC 6455, section 7.2.3): exponential backoff with full jitter. The n-th
// delay in a row is chosen between 0 and a limit, every value being as likely
// as any other:
//
//	n                 1     2      3      4      5    ...   9 and more
//	the limit         5 s   3.1 s  5.0 s  8.1 s  13 s ...   90 s
//
// The first one is [Config.InitialDelay], the second [Config.MinDelay], and
// each further one is [Config.Factor] times the one before it, up to
// [Config.MaxDelay]. A connection that lived for [Config.MinUptime] starts the
// row anew. One that ended sooner does not: a server that accepts and drops is
// not asked faster than one that refuses.
//
// A server that is busy may say when to come back (Retry-After, RFC 9110,
// section 10.2.3). That time is waited for first, and then the random delay,
// for others were told the same.
//
// # Errors
//
// [ProcessError] tells errors that another attempt may not meet, those of the
// network, from those that it will, such as a wrong URL or status 403.
//
// # The parts
//
// [Config] has the settings, [Schedule] is the pure value that answers how long
// to wait, and [Wait] is its answer. A Schedule has no clock and no timer, and
// serves connections of any library.
package reconnect

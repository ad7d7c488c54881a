// Package load is the client of the benchmarks: one thread that serves all of
// its connections by epoll(7), writes frames that were built before and counts
// those that come back. It costs every server the same and less than the
// servers do, so that they are what is measured.
//
// It needs Linux.
package load

// Package measure runs the cases of the benchmarks: one server after the other,
// each in a process of its own, in rounds that are interleaved, so that what
// the machine does besides falls on all of them.
package measure

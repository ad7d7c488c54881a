// Command echo measures what an echo server costs: CPU per message and memory
// per connection, of Tandem's two faces beside other libraries and a raw TCP
// echo, as ratios to the latter in the same run.
//
//	go run ./echo -servers raw,sync,async -conns 64 -size 32 -depth 16
//
// Each server runs in a process of its own (the same binary, started again).
// The load comes from one process that costs every library the same: it writes
// prebuilt frames and counts the bytes that come back. Rounds of all servers
// are interleaved, and the medians are printed.
package main

// Command suite measures everything: echo servers, compression, the memory of
// idle connections, clients, broadcasts, opening handshakes and masking, of
// Tandem and other libraries.
//
//	go run ./suite -o results.json             all of it, about half an hour
//	go run ./suite -o results.json -only idle  what has "idle" in its name
//	go run ./suite -list                       the names
//
// The results are written to a file of JSON after each case, in which those of
// cases that are not measured this time stay. Command report makes a page of it.
//
// What is measured of each:
//
//	echo       CPU time of the server per message, latency of a round trip
//	deflate    the same with compression; bytes of an answer
//	idle       growth of the server's resident memory per connection, after a
//	           message each (ten with compression) and a collection
//	client     CPU time of the client per message that it sends and gets back
//	broadcast  CPU time of the server per message that it sends, time until all
//	           connections have one
//	handshake  CPU time of the server per connection that is opened and reset
//	mask       CPU time of masking a payload
//
// See command echo for how. With TANDEM_BENCH_PROFILES=folder in the environment
// each process of a server leaves a profile of its CPU time there, for
// "go tool pprof".
package main

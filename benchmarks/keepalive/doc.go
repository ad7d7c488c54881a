// Command keepalive measures what it costs a server to keep idle connections
// alive: CPU time of pings, memory of a connection, and how late pings are. It
// compares Tandem's two faces with what people write around other libraries: a
// goroutine with a ticker for each connection, beside the one that reads.
//
//	go run ./keepalive                 CPU and memory
//	go run ./keepalive -late           how late pings are
//	go run ./keepalive -every 1s       with a message from each client a second
//
// Each server runs in a process of its own (the same binary, started again).
// All clients are in one process, which costs every library the same: it sends
// prebuilt pongs. Rounds of all servers are interleaved, and the medians are
// printed. With -keep FILE the rounds of several runs count together.
package main

// Command echo measures what an echo server costs: CPU per message and memory
// per connection, of Tandem's two faces beside other libraries and a raw TCP
// echo, as ratios to the latter in the same run.
//
//	go run ./echo -conns 64 -size 32 -depth 16
//	go run ./echo -servers sync,async -idle 10000 -deflate
//
// Servers:
//
//	raw            bytes without framing; a goroutine and a buffer a connection
//	sync, async    Tandem, receiving into the caller's buffer (RecvAppend)
//	sync-recv,     Tandem, receiving messages of their own (Recv)
//	async-recv
//	sync-release,  the same, with each message given back (Message.Release)
//	async-release
//	sync-stream,   Tandem and gorilla, passing on each message as it comes, in
//	async-stream,  pieces of up to 64 KiB
//	gorilla-stream
//	gorilla        github.com/gorilla/websocket, with a pool of write buffers
//	coder          github.com/coder/websocket
//	gobwas         github.com/gobwas/ws, with a buffered reader (gobwas-plain:
//	               without)
//	gws            github.com/lxzan/gws, with its pool (gws-kept: without, for
//	               messages of one's own)
//	python         Python websockets (asyncio), where it is installed
//
// "peers" stands for gorilla, coder, gobwas and gws, "all" for raw, both faces
// in their three ways and the peers.
//
// Each server runs in a process of its own (the same binary, started again).
// The load comes from this process, one thread that costs every library the
// same; see package load. A connection sends as many messages as the depth says
// in one write, waits for all of their echoes and sends the next ones. The
// latency is that of such a round trip. In each of the rounds every server is started
// afresh and has a time to warm up; then they are under load in turn, for a part of
// the duration each, until that is over. The medians of the rounds are printed with
// the least and the greatest value, and the ratio, which is the median of those
// within the rounds.
//
// A server of another build of this command, from before a change, is called
// sync@/path/of/the/program, and measured beside the others:
//
//	go build -o /tmp/before ./echo
//	...
//	go run ./echo -servers raw,sync,sync@/tmp/before
package main

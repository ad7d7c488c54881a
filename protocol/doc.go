// Package protocol says what RFC 6455, The WebSocket Protocol, says, and RFC
// 7692, Compression Extensions for WebSocket.
//
// It is sans-I/O: a [Conn] is a value that is fed the bytes that came from the
// peer and the time, and that hands back events and the bytes to send. It
// opens no socket, starts no goroutine, takes no lock and reads no clock, so
// that a test can drive it byte by byte and any event loop can drive it for
// real. Packages async and sync are two such drivers.
//
// # Receiving
//
// Bytes go in with [Conn.Received], events come out of [Conn.Next] until it
// returns [EventNone]:
//
//	n, err := socket.Read(buf)
//	conn.Received(time.Now(), 0, buf[:n])
//	for ev := conn.Next(); ev.Kind != protocol.EventNone; ev = conn.Next() {
//		switch ev.Kind {
//		case protocol.EventMessage:
//			...
//		case protocol.EventViolation:
//			conn.FailViolation()
//		}
//	}
//
// Pings and close frames of the peer are answered by themselves. A peer that breaks
// the protocol is not: the caller calls [Conn.FailViolation], at once or when it has
// answered the messages before.
//
// A caller that wants large payloads to land where they belong, without a
// copy, reads into [Conn.Window] first.
//
// # Sending
//
// Data frames are appended to a buffer of the caller's with
// [Conn.AppendMessage] or [Conn.AppendFragment]. Control frames (pings, pongs
// and close frames, the answers to the peer's among them) are owed: the Conn
// keeps them, within bounds, until [Conn.AppendOwed] appends them.
//
// # The end
//
// The TCP connection is to end when close frames went both ways ([Conn.CloseSent],
// [Conn.CloseReceived]) and when the Conn was failed: a server ends it once its own
// close frame is written, and a client waits for that (RFC 6455, section 7.1.1), but
// not for ever, for which it has a timer. When it has ended, for whatever reason, the
// Conn is told with [Conn.Disconnected], and [Conn.CloseError] says how.
//
// # Extensions
//
// An [Extension] changes payloads on their way; [Deflate] is one. [Offer] and
// [Acceptor] negotiate them, [Config] takes what they have agreed on.
//
// # The opening handshake
//
// [Offer] is the client's side and [Acceptor] the server's, both over the
// types of net/http. They too perform no I/O.
//
// # Concurrency
//
// A Conn is not safe for concurrent use; its driver has a lock.
package protocol

// Package async is the face of Tandem for concurrent code: every call that can
// wait takes a context, and what runs for a connection ends with it. For plain
// blocking calls see package sync of this module; both drive the same core.
//
// Import it as
//
//	import wsasync "github.com/tandemws/tandem/async"
//
// # Clients
//
// [Connect] opens a connection, [Conn.Recv] and [Conn.Send] carry
// messages, [Conn.Close] ends it:
//
//	conn, err := wsasync.Connect(ctx, "ws://localhost:8765/", nil)
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	if err := conn.SendText(ctx, "hello"); err != nil {
//		return err
//	}
//	msg, err := conn.Recv(ctx)
//
// [Reconnect] is a loop over connections, for clients that are to stay
// connected.
//
// # Servers
//
// [Serve] listens and runs a handler for each connection. [NewHandler] is the
// same inside a net/http server. A handler's context ends with its connection.
//
// # Contexts
//
// A context bounds the call that it is given to, and not the connection: when
// it ends, Recv, Wait and a queued Send return its error, nothing that was
// received is lost, and the connection goes on. Only a message of which a part
// was written cannot be taken back: then the connection fails with
// [ErrPartialWrite]. [Conn.Context] is the connection's own context; its cause
// is how the connection ended.
//
// # Keepalive
//
// A ping is sent every 20 s, and the peer is given up when 20 s bring no sign of
// life; see package keepalive for the rules and [ClientOptions] for the settings.
// No goroutine waits for that: a timer starts one when there is something to do.
// It needs no help from the application: pings are answered and pongs counted
// also while nobody is in Recv. A ping may leave 5 ms later than it is due, so
// that those of many connections leave together.
//
// # Memory
//
// Each message that [Conn.Recv] and [Conn.Messages] return has memory of its own,
// which is the caller's for as long as it is wanted. Two ways spare the garbage
// collector where messages are many: [Conn.RecvAppend] receives into a buffer of the
// caller's, and [protocol.Message.Release] gives a message back, for its memory
// to be used for others. That is optional for each message. Once a program releases
// messages, new ones of up to 1 MiB take memory that was released: whole ones and
// those that come in pieces, compressed ones, and those that were queued. What a
// message has room for behind its end may then hold bytes of earlier messages.
//
// # Concurrency
//
// All methods of a connection may be called concurrently, by any number of
// goroutines, except that there is one receiver at a time: a second one gets
// [ErrConcurrentReceive] at once.
package async

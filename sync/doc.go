// Package sync is the face of Tandem for blocking code: plain calls that
// return when they are done, with durations where one may want to wait no
// longer. For calls that take a context see package async of this module; both
// drive the same core.
//
// Import it as
//
//	import wssync "github.com/tandemws/tandem/sync"
//
// # Clients
//
// [Connect] opens a connection, [Conn.Recv] and [Conn.Send] carry messages,
// [Conn.Close] ends it:
//
//	conn, err := wssync.Connect("ws://localhost:8765/", nil)
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	if err := conn.SendText("hello"); err != nil {
//		return err
//	}
//	msg, err := conn.Recv()
//
// [Reconnect] is a loop over connections, for clients that are to stay
// connected.
//
// # Servers
//
// [Serve] listens and runs a handler for each connection. [NewHandler] is the
// same inside a net/http server.
//
// # Waiting
//
// A call blocks until it is done or the connection ends. [Conn.RecvTimeout],
// [Pong.Wait] and [WithTimeout] bound the wait: at the time-out the error is
// an [os.ErrDeadlineExceeded], nothing that was received is lost, and the
// connection goes on. Only a message of which a part was written cannot be
// taken back: then the connection fails with [ErrPartialWrite]. [Conn.Close]
// from any goroutine ends every call.
//
// # Keepalive
//
// One thread of a server's sends the pings of all its connections, every 20 s
// each, and gives a peer up when 20 s bring no sign of life; a client has a
// thread of its own, unless it shares one. See package keepalive for the rules
// and [ClientOptions] for the settings. It needs no help from the application:
// pings are answered and pongs counted also while nobody is in Recv.
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
package sync

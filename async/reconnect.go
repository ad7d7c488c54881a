package async

import (
	"context"
	"iter"

	"github.com/tandemws/tandem/internal/dial"
	"github.com/tandemws/tandem/internal/link"
)

// Reconnect returns an iterator over connections to a ws or wss URL, for a
// client that is to stay connected:
//
//	for conn, err := range wsasync.Reconnect(ctx, url, nil) {
//		if err != nil {
//			return err
//		}
//		talk(ctx, conn) // until conn has ended
//	}
//
// The body of the loop has one connection at a time. When it goes on to the
// next one, or leaves the loop, its connection is closed with code 1000 unless
// it has ended already, as [Conn.Close] does; whoever needs one for longer uses
// [Connect]. How a connection ended is the body's to look at ([Conn.Done], then
// [Conn.Err]): code 1008 or one of 4000 and more may mean that the server does
// not want this client, and only a break keeps it from connecting again.
//
// Between two connections, and after an attempt that has failed, there is a
// random delay, which grows as long as no connection lives: see package
// reconnect and the Reconnect field of [ClientOptions]. There is none before
// the very first attempt. Each attempt is a Connect, which the open timeout
// bounds. What has failed is logged at info level.
//
// An error that is not worth another attempt is the last element, with a nil
// connection: see [reconnect.ProcessError]. Otherwise the loop goes on until
// the body leaves it or ctx ends. Then an attempt or a delay ends at once, and
// the cause of ctx ([context.Cause]) is the last element; it wraps the error of
// the latest attempt too, if that has failed. A connection in the body's hands
// is not touched by the end of ctx: calls that are given ctx return. Closing it
// then takes a second at most, after which it is cut.
//
// Each use of the iterator begins anew. With a NetConn in the options there is
// nothing to connect again: the only element is [reconnect.ErrNetConn].
func Reconnect(ctx context.Context, url string, opts *ClientOptions) iter.Seq2[*ClientConn, error] {
	var own ClientOptions // as they are now
	if opts != nil {
		own = *opts
	}
	core := dial.Options(own)
	return dial.Reconnect(orBackground(ctx), url, &core, func(ctx context.Context) (*ClientConn, *link.Conn, error) {
		conn, err := Connect(ctx, url, &own)
		if err != nil {
			return nil, nil, err
		}
		return conn, &conn.link, nil
	})
}

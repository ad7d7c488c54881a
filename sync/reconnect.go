package sync

import (
	"context"
	"iter"

	"github.com/tandemws/tandem/internal/dial"
	"github.com/tandemws/tandem/internal/link"
)

// Reconnect returns an iterator over connections to a ws or wss URL, for a
// client that is to stay connected:
//
//	for conn, err := range wssync.Reconnect(url, nil) {
//		if err != nil {
//			return err
//		}
//		talk(conn) // until conn has ended
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
// the body leaves it or another goroutine closes the Stop of the options. Then
// an attempt or a delay ends at once; a connection in the body's hands is
// closed with code 1000, so that calls on it return, and cut if that takes more
// than a second; and the loop ends without an error.
//
// Each use of the iterator begins anew. With a NetConn in the options there is
// nothing to connect again: the only element is [reconnect.ErrNetConn].
func Reconnect(url string, opts *ClientOptions) iter.Seq2[*ClientConn, error] {
	var own ClientOptions // as they are now
	if opts != nil {
		own = *opts
	}
	return func(yield func(*ClientConn, error) bool) {
		ctx, cancel := untilStopped(own.Stop)
		defer cancel()
		for conn, err := range connections(ctx, url, &own) {
			if ctx.Err() != nil || !lend(ctx, conn, err, yield) {
				return
			}
		}
	}
}

// untilStopped returns a context that ends when stop is closed, or when it is
// cancelled.
func untilStopped(stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	select {
	case <-stop:
		cancel()
	default:
	}
	if stop != nil && ctx.Err() == nil {
		go func() { // ends with the context
			select {
			case <-stop:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// connections is Reconnect with a context.
func connections(ctx context.Context, url string, opts *ClientOptions) iter.Seq2[*ClientConn, error] {
	return dial.Reconnect(ctx, url, opts.core(), func(ctx context.Context) (*ClientConn, *link.Conn, error) {
		conn, err := connect(ctx, url, opts)
		if err != nil {
			return nil, nil, err
		}
		return conn, &conn.link, nil
	})
}

// lend gives the body of the loop a connection or an error. The body may wait
// in a call on the connection, and nothing but its end interrupts that: so the
// end of the context closes it.
func lend(ctx context.Context, conn *ClientConn, err error, yield func(*ClientConn, error) bool) (more bool) {
	if conn != nil {
		stop := context.AfterFunc(ctx, func() { dial.Leave(ctx, &conn.link) })
		defer stop()
	}
	return yield(conn, err)
}

package async_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// inBubble runs a test with both ends of a connection in virtual time, without
// keepalive, and cuts what the test leaves open.
func inBubble(t *testing.T, test func(t *testing.T, client *wsasync.ClientConn, server *wsasync.ServerConn)) {
	synctest.Test(t, func(t *testing.T) {
		off := keepalive.Config{Interval: -1}
		client, server := wsasync.Pipe(t.Context(), &wsasync.PipeOptions{
			Client: wsasync.ClientOptions{Keepalive: off},
			Server: wsasync.ServerOptions{Keepalive: off},
		})
		defer client.CloseNow()
		defer server.CloseNow()
		test(t, client, server)
	})
}

// stopReading fills the server's queue, so that it reads no more and sees
// nothing, not even a close frame.
func stopReading(t *testing.T, client *wsasync.ClientConn) {
	for range 16 {
		if err := client.SendText(t.Context(), "nobody receives this"); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second) // the server's attendant has come and gone
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestErrConcurrentReceive(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, _ *wsasync.ServerConn) {
		go client.Recv(t.Context())
		synctest.Wait()
		_, err := client.Recv(t.Context())
		wantError(t, err, wsasync.ErrConcurrentReceive)
	})
}

// The server's pongs come after its grace period only, and the pings of this
// test all at one moment.
func TestErrTooManyPings(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, _ *wsasync.ServerConn) {
		for range 1024 {
			if _, err := client.Ping(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		_, err := client.Ping(t.Context(), nil)
		wantError(t, err, wsasync.ErrTooManyPings)
	})
}

func TestErrSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, server *wsasync.ServerConn) {
		server.SendText(t.Context(), "skipped")
		server.SendText(t.Context(), "received")
		_, r, err := client.RecvReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if msg, err := client.Recv(t.Context()); err != nil || msg.String() != "received" {
			t.Fatalf("got %q, %v: the rest of a message is to be skipped", msg, err)
		}
		_, err = io.ReadAll(r)
		wantError(t, err, wsasync.ErrSkipped)
	})
}

func TestErrWriterClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, _ *wsasync.ServerConn) {
		w, err := client.SendWriter(t.Context(), protocol.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(w, "too late")
		wantError(t, err, wsasync.ErrWriterClosed)
	})
}

// A server that does not read does not answer a close frame.
func TestErrCloseTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, _ *wsasync.ServerConn) {
		stopReading(t, client)
		err := client.Close()
		wantError(t, err, wsasync.ErrCloseTimeout)
		var closed *protocol.CloseError
		if !errors.As(err, &closed) || closed.Sent == nil || closed.Rcvd != nil {
			t.Errorf("%v does not tell that the server sent no close frame", err)
		}
	})
}

// More than the buffers on the way hold cannot leave, and when a part has, the
// connection cannot go on.
func TestErrPartialWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, _ *wsasync.ServerConn) {
		stopReading(t, client)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := client.SendBinary(ctx, make([]byte, 1<<20), wsasync.WithCompression(false))
		wantError(t, err, wsasync.ErrPartialWrite)
		wantError(t, err, context.DeadlineExceeded)
		wantError(t, err, protocol.ErrClosedError)
	})
}

func TestErrAborted(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wsasync.ClientConn, server *wsasync.ServerConn) {
		client.CloseNow()
		_, err := client.Recv(t.Context())
		wantError(t, err, wsasync.ErrAborted)
		_, err = server.Recv(t.Context())
		wantError(t, err, io.EOF) // no close frame came
	})
}

package sync_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// inBubble runs a test with both ends of a connection in virtual time, without
// keepalive, and cuts what the test leaves open.
func inBubble(t *testing.T, test func(t *testing.T, client *wssync.ClientConn, server *wssync.ServerConn)) {
	synctest.Test(t, func(t *testing.T) {
		off := keepalive.Config{Interval: -1}
		client, server := wssync.Pipe(&wssync.PipeOptions{
			Client: wssync.ClientOptions{Keepalive: off},
			Server: wssync.ServerOptions{Keepalive: off},
		})
		defer client.CloseNow()
		defer server.CloseNow()
		test(t, client, server)
	})
}

// stopReading fills the server's queue, so that it reads no more and sees
// nothing, not even a close frame.
func stopReading(t *testing.T, client *wssync.ClientConn) {
	for range 16 {
		if err := client.SendText("nobody receives this"); err != nil {
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
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, _ *wssync.ServerConn) {
		go client.Recv()
		synctest.Wait()
		_, err := client.Recv()
		wantError(t, err, wssync.ErrConcurrentReceive)
	})
}

// The server's pongs come after its grace period only, and the pings of this
// test all at one moment.
func TestErrTooManyPings(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, _ *wssync.ServerConn) {
		for range 1024 {
			if _, err := client.Ping(nil); err != nil {
				t.Fatal(err)
			}
		}
		_, err := client.Ping(nil)
		wantError(t, err, wssync.ErrTooManyPings)
	})
}

func TestErrSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, server *wssync.ServerConn) {
		server.SendText("skipped")
		server.SendText("received")
		_, r, err := client.RecvReader()
		if err != nil {
			t.Fatal(err)
		}
		if msg, err := client.Recv(); err != nil || msg.String() != "received" {
			t.Fatalf("got %q, %v: the rest of a message is to be skipped", msg, err)
		}
		_, err = io.ReadAll(r)
		wantError(t, err, wssync.ErrSkipped)
	})
}

func TestErrWriterClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, _ *wssync.ServerConn) {
		w, err := client.SendWriter(protocol.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(w, "too late")
		wantError(t, err, wssync.ErrWriterClosed)
	})
}

// A server that does not read does not answer a close frame.
func TestErrCloseTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, _ *wssync.ServerConn) {
		stopReading(t, client)
		err := client.Close()
		wantError(t, err, wssync.ErrCloseTimeout)
		var closed *protocol.CloseError
		if !errors.As(err, &closed) || closed.Sent == nil || closed.Rcvd != nil {
			t.Errorf("%v does not tell that the server sent no close frame", err)
		}
	})
}

// More than the buffers on the way hold cannot leave, and when a part has, the
// connection cannot go on.
func TestErrPartialWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, _ *wssync.ServerConn) {
		stopReading(t, client)
		err := client.SendBinary(make([]byte, 1<<20), wssync.WithTimeout(time.Second), wssync.WithCompression(false))
		wantError(t, err, wssync.ErrPartialWrite)
		wantError(t, err, os.ErrDeadlineExceeded)
		wantError(t, err, protocol.ErrClosedError)
	})
}

func TestErrAborted(t *testing.T) {
	inBubble(t, func(t *testing.T, client *wssync.ClientConn, server *wssync.ServerConn) {
		client.CloseNow()
		_, err := client.Recv()
		wantError(t, err, wssync.ErrAborted)
		_, err = server.Recv()
		wantError(t, err, io.EOF) // no close frame came
	})
}

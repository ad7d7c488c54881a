package sync_test

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// TestRecvTimeoutZero asks for what is there already: no more than a
// millisecond is waited for it.
func TestRecvTimeoutZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wssync.Pipe(nil)
		defer server.CloseNow()
		defer client.CloseNow()
		for _, d := range []time.Duration{0, -time.Hour, time.Nanosecond} {
			begun := time.Now()
			if _, err := server.RecvTimeout(d); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > time.Millisecond {
				t.Errorf("%v: %v after %v", d, err, time.Since(begun))
			}
			if err := client.SendText("here"); err != nil {
				t.Fatal(err)
			}
			if m, err := server.RecvTimeout(d); err != nil || string(m.Data) != "here" {
				t.Errorf("%v: received %q, %v", d, m.Data, err)
			}
		}
	})
}

// TestWithTimeout bounds one Send, and no timeout is none.
func TestWithTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wssync.Pipe(nil)
		defer server.CloseNow()
		defer client.CloseNow()
		w, err := client.SendWriter(protocol.Text) // others have to wait for it
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := client.SendText("left", wssync.WithTimeout(time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if d := time.Since(begun); d != time.Second {
			t.Errorf("waited for %v", d)
		}
		passed := time.Until(begun.Add(-time.Second))
		if err := client.SendText("over", wssync.WithTimeout(passed)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v, though the time is over", err)
		}
		time.AfterFunc(time.Minute, func() { w.Close() })
		if err := client.SendBinary([]byte("waits"), wssync.WithTimeout(0)); err != nil {
			t.Errorf("error %v", err)
		}
		if d := time.Since(begun); d != time.Second+time.Minute {
			t.Errorf("waited for %v", d)
		}
	})
}

package link

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// onceLate is a connection that takes nothing more once a deadline has interrupted a
// write, and says that this was late again and again: TLS in somebody's wrapper does.
type onceLate struct {
	net.Conn
	late  error
	calls int // since then
}

func (c *onceLate) Write(p []byte) (n int, err error) {
	if c.late != nil {
		if c.calls++; c.calls > 10 {
			return 0, errors.New("asked over and over")
		}
		return 0, c.late
	}
	n, c.late = c.Conn.Write(p)
	return n, c.late
}

// TestWriteLateBeforeItsTime: a time-out that comes before the limit is reached is the
// transport's own end, and nothing to try again for as long as there is time.
func TestWriteLateBeforeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe, peer := NewPipe()
		defer peer.Close()
		pipe.Write(make([]byte, 2*pipeBuffer)) // it is full
		c := opened(&onceLate{Conn: pipe}, Options{Role: protocol.Server})
		defer end(c)
		if err := c.Send(After(time.Second), protocol.TextMessage("one")); !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, protocol.ErrClosed) {
			t.Errorf("the first: %v", err)
		}
		begun := time.Now()
		err := c.Send(After(time.Hour), protocol.TextMessage("two"))
		if !errors.Is(err, protocol.ErrClosed) || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != 0 {
			t.Errorf("the second: %v, after %v", err, time.Since(begun))
		}
	})
}

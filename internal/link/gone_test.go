package link

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// doomed is a transport whose system gives the connection up, and says so to
// whoever asks first. Each call takes until its time to return.
type doomed struct {
	transport
	reading, writing failure
}

// A failure is an error and when whoever gets it has a turn.
type failure struct {
	at  time.Time
	err error
}

func (f failure) fail() error {
	time.Sleep(time.Until(f.at))
	return f.err
}

func (d *doomed) read(*input) error                     { return d.reading.fail() }
func (d *doomed) tryWrite(*output) (ok bool, err error) { return true, d.writing.fail() }
func (d *doomed) writeOnce(*once) (ok bool, err error)  { return true, d.writing.fail() }
func (d *doomed) setReadDeadline(time.Time) error       { return nil }

// TestTimeoutToldOnce: the system tells its time-out to a write or to the reader,
// and the other that this is the end. Whoever comes first, it is explained.
func TestTimeoutToldOnce(t *testing.T) {
	const ms = time.Millisecond
	gone := gone[0]
	for name, test := range map[string]struct {
		read, write       time.Duration // when they return, after the beginning
		readErr, writeErr error
	}{
		"the write is told, and comes first":    {20 * ms, 10 * ms, io.EOF, gone},
		"the write is told, and comes last":     {10 * ms, 20 * ms, io.EOF, gone},
		"the write is told, and comes late":     {10 * ms, 900 * ms, io.EOF, gone},
		"the reader is told, and comes first":   {10 * ms, 20 * ms, gone, io.ErrClosedPipe},
		"the reader is told, and comes last":    {20 * ms, 10 * ms, gone, io.ErrClosedPipe},
		"the reader is told, and comes at once": {10 * ms, 10 * ms, gone, io.ErrClosedPipe},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, _ := NewPipe()
				c := opened(ours, Options{Role: protocol.Client})
				begun := time.Now()
				c.setTransport(&doomed{c.tr(), failure{begun.Add(test.read), test.readErr}, failure{begun.Add(test.write), test.writeErr}})
				go c.Send(nil, protocol.TextMessage("anybody there?"))
				_, err := c.Receive(nil)
				<-c.Done()
				for what, err := range map[string]error{"Receive": err, "Err": c.Err(), "Send": c.Send(nil, protocol.TextMessage(""))} {
					if lost := new(keepalive.TimeoutError); !errors.As(err, &lost) || lost.Err != gone {
						t.Errorf("%s: %v; want it explained", what, err)
					}
				}
			})
		})
	}
}

package peers

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// An hour of keepalive with other libraries that ping by themselves, whose
// intervals are as short as they can be and whose timeouts are as they are.

// An hour is a library of Python's and how it is set.
type hour struct {
	name    string
	library string // as hour.py has it
	timeout time.Duration
}

var hours = []hour{
	{"websockets by default", "websockets", 20 * time.Second},
	{"websockets with 1 s", "websockets", time.Second},
	{"aiohttp's heartbeat", "aiohttp", 20 * time.Second},
}

const (
	// hourOfPings is how many each side is to send: more than there are in
	// an hour at the default of 20 s, and in a quarter of one at 1 s.
	hourOfPings = 1000

	// hourInterval is that of ours. aiohttp's heartbeat counts from what it
	// received last, so it is left time for its own.
	hourInterval = 25 * time.Millisecond
)

// TestHourOfPings has both sides ping the other all the time, and neither is
// given up.
func TestHourOfPings(t *testing.T) {
	for _, h := range hours {
		t.Run(h.name, func(t *testing.T) {
			rig.Need(t, python, pythonModules+h.library)
			t.Parallel()
			for _, f := range face.Both {
				t.Run(f.Name()+" client", func(t *testing.T) {
					t.Parallel()
					s := program(python, "hour.py", h.library, h.seconds(), "serve")(t)
					c, err := connect(t, f, "ws://"+s.address+"/", h.options())
					if err != nil {
						t.Fatal(err)
					}
					if err := h.pass(t, c); err != nil {
						t.Error(err)
					}
				})
				t.Run(f.Name()+" server", func(t *testing.T) {
					t.Parallel()
					passed := make(chan error, 1)
					address := serve(t, f, func(c conn, _ *url.URL) error {
						err := h.pass(t, c)
						passed <- err
						return err
					}, h.options())
					p := rig.Start(t, command(python, "hour.py", h.library, h.seconds(), "ws://"+address+"/"), nil)
					if err := <-passed; err != nil {
						t.Errorf("%v; the client: %s", err, p.Log())
					}
				})
			}
		})
	}
}

func (h *hour) seconds() string { return fmt.Sprint(h.timeout.Seconds()) }

func (h *hour) options() *face.Options {
	opts := options()
	opts.Keepalive = keepalive.Config{Interval: hourInterval, Timeout: h.timeout}
	return opts
}

// pass goes on until each side has sent its pings, and asks once a second how
// many of theirs were sent.
func (h *hour) pass(t *testing.T, c conn) error {
	for {
		stats := c.KeepaliveStats()
		if err := c.Send(protocol.TextMessage("how many?")); err != nil {
			return fmt.Errorf("sending: %w, after %d pongs", err, stats.PongsReceived)
		}
		m, err := c.Recv()
		if err != nil {
			return fmt.Errorf("receiving: %w, after %d pongs", err, stats.PongsReceived)
		}
		theirs, err := strconv.Atoi(string(m.Data))
		if err != nil {
			return err
		}
		if stats.PongsReceived >= hourOfPings && theirs >= hourOfPings {
			t.Logf("%d of our pings answered, in %v, and %d of theirs sent", stats.PongsReceived, stats.SmoothedRTT, theirs)
			return nil
		}
		time.Sleep(time.Second) // the pings are what is looked at
	}
}

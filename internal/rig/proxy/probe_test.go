package proxy

import (
	"context"
	"os/exec"
	"testing"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/keepalive"
)

// probeLimit is the --max of probes: longer than the timeouts that are to be
// found, and as long as other connections have to live.
func probeLimit(t *testing.T) time.Duration { return max(15*time.Second, rig.Life(t)) }

// never is an idle timeout that no probe reaches. Not every proxy can have
// none.
const never = time.Hour

// TestProbe: the command tandem finds the idle timeout of each proxy, or that
// it has none.
func TestProbe(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			kind.Need(t)
			t.Parallel()
			tandem := rig.Tandem(t)
			server := serveSilently(t)
			for _, idle := range []time.Duration{3 * time.Second, 7 * time.Second, never} {
				t.Run(idle.String(), func(t *testing.T) {
					t.Parallel()
					probe(t, tandem, kind.Start(t, idle, []Route{{"/", server}}), idle)
				})
			}
		})
	}
}

// probe runs the command and checks its result.
func probe(t *testing.T, tandem, proxy string, idle time.Duration) {
	limit := probeLimit(t)
	process := rig.Start(t, exec.Command(tandem, "probe", "--json", "--max", limit.String(), "ws://"+proxy+"/"), nil)
	if err := process.Wait(); err != nil {
		t.Fatal(err)
	}
	if idle == never {
		idle = 0
	}
	verdict := rig.ReadVerdict(t, process.Stdout())
	t.Logf("%+v", verdict)
	verdict.Check(t, idle, []string{"FIN", "reset"}, limit)
}

// serveSilently starts a server that says nothing by itself and returns its
// address.
func serveSilently(t *testing.T) (address string) {
	server, err := wsasync.Serve(context.Background(), readOnly, "127.0.0.1:0", &wsasync.ServerOptions{
		Keepalive: keepalive.Config{Interval: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr().String()
}

// readOnly answers pings, as everybody who receives does.
func readOnly(ctx context.Context, conn *wsasync.ServerConn) (err error) {
	for err == nil {
		_, err = conn.Recv(ctx)
	}
	return err
}

package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

const idleTimeout = 3 * time.Second // of the proxies

// A scene is a connection through a proxy that is yet to be made.
type scene struct {
	client, server           face.Face
	clientPings, serverPings bool

	path     string
	acceptor *witness.Acceptor

	proxy func(*http.Request) (*url.URL, error) // nil: the URL is the proxy's
}

// name tells the scene from others. Pings of one end are enough: the pongs of
// the other feed the proxy's other direction.
func (s *scene) name() string {
	pings := "no pings"
	switch {
	case s.clientPings && s.serverPings:
		pings = "both ping"
	case s.clientPings:
		pings = "client pings"
	case s.serverPings:
		pings = "server pings"
	}
	return fmt.Sprintf("%s/%s to %s", pings, s.client.Name(), s.server.Name())
}

// scenes returns all pairs of faces with all ways of pinging.
func scenes() (all []*scene) {
	for _, client := range face.Both {
		for _, server := range face.Both {
			for who := range 4 {
				all = append(all, &scene{
					client: client, server: server,
					clientPings: who&1 != 0, serverPings: who&2 != 0,
					path: fmt.Sprintf("/%d", len(all)),
				})
			}
		}
	}
	return all
}

// options of an end that pings every second or never. It waits for longer
// than the proxy does: what ends a connection here is to be the proxy.
func options(pings bool) face.Options {
	config := keepalive.Config{Interval: -1}
	if pings {
		config = keepalive.Config{Interval: time.Second, Timeout: 10 * time.Second}
	}
	return face.Options{Keepalive: config, CloseTimeout: 5 * time.Second}
}

// An idle connection through a proxy lives as long as somebody pings, and is
// ended by the proxy when nobody does.
func TestIdleConnection(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			kind.Need(t)
			t.Parallel()
			testThrough(t, kind)
		})
	}
}

// So it is through the proxies that open ways for clients. microsocks has no
// idle timeout.
func TestIdleForward(t *testing.T) {
	for _, kind := range Forwards {
		if kind.Name == "microsocks" {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			kind.Need(t)
			t.Parallel()
			proxy := kind.Start(t, idleTimeout)
			for _, s := range scenes() {
				if kind.Name == "Dante" {
					// It looks at the time only when nothing else happens, so
					// each connection gets one.
					proxy = kind.Start(t, idleTimeout)
				}
				s.proxy = http.ProxyURL(proxy)
				t.Run(s.name(), func(t *testing.T) {
					t.Parallel()
					s.acceptor = witness.Accept(t, s.server, options(s.serverPings))
					s.play(t, "ws://"+s.acceptor.Addr().String()+"/")
				})
			}
		})
	}
}

// testThrough starts one proxy, and behind it a server for each scene.
func testThrough(t *testing.T, kind Kind) {
	all := scenes()
	var routes []Route
	for _, s := range all {
		s.acceptor = witness.Accept(t, s.server, options(s.serverPings))
		routes = append(routes, Route{s.path, s.acceptor.Addr().String()})
	}
	proxy := kind.Start(t, idleTimeout, routes)
	for _, s := range all {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			s.play(t, "ws://"+proxy+s.path)
		})
	}
}

func (s *scene) play(t *testing.T, url string) {
	opts := options(s.clientPings)
	opts.Proxy = s.proxy
	client := witness.Attend("client", witness.Dial(t, s.client, url, opts))
	server := witness.Attend("server", s.acceptor.Next(t))
	witness.Alive(t, client, server)
	if s.clientPings || s.serverPings {
		lives(t, client, server)
	} else {
		dies(t, client, server, time.Now())
	}
}

// lives fails the test unless the connection is whole after its life.
func lives(t *testing.T, client, server *witness.End) {
	life := rig.Life(t)
	for _, end := range []*witness.End{client, server} {
		defer logRoundTrips(t, end, life)
	}
	if client.AwaitEnd(life) {
		t.Fatalf("client: ended after less than %v: %v", life, client.Why)
	}
	witness.Alive(t, client, server)
	if err := client.Close(); err != nil {
		t.Errorf("client: Close: %v", err)
	}
	if !server.AwaitEnd(patience) || !errors.Is(server.Why, protocol.ErrClosedOK) {
		t.Errorf("server: %v; want a normal close", server.Why)
	}
}

// patience bounds what takes no time when all is well.
const patience = 10 * time.Second

// logRoundTrips tells what keepalive has seen. About one ping a second was
// sent, and each was answered but perhaps the last one.
func logRoundTrips(t *testing.T, end *witness.End, life time.Duration) {
	stats := end.KeepaliveStats()
	if stats.PingsSent == 0 {
		return
	}
	t.Logf("%s: %d pings, %d pongs, smoothed round trip %v",
		end.Name, stats.PingsSent, stats.PongsReceived, stats.SmoothedRTT)
	if want := uint64(life/time.Second) - 5; stats.PongsReceived < want {
		t.Errorf("%s: %d pongs, want %d and more", end.Name, stats.PongsReceived, want)
	}
}

// dies fails the test unless the proxy ends the connection at about its idle
// timeout, which began a moment before since, and both ends say so clearly.
func dies(t *testing.T, client, server *witness.End, since time.Time) {
	for _, end := range []*witness.End{client, server} {
		if !end.AwaitEnd(idleTimeout + patience) {
			t.Fatalf("%s: still open after %v", end.Name, idleTimeout+patience)
		}
		after := end.Ended.Sub(since)
		t.Logf("%s: after %v: %v", end.Name, after, end.Why)
		// Apache looks at the time about once a second, and Dante takes up to
		// twice the timeout.
		if after < idleTimeout-time.Second || after > idleTimeout+4*time.Second {
			t.Errorf("%s: ended after %v, want about %v", end.Name, after, idleTimeout)
		}
		checkCut(t, end)
	}
}

// checkCut fails the test unless the end says that TCP ended without a close
// frame: a proxy is not part of the closing handshake.
func checkCut(t *testing.T, end *witness.End) {
	var closed *protocol.CloseError
	if !errors.As(end.Why, &closed) {
		t.Fatalf("%s: %T %v, want a *protocol.CloseError", end.Name, end.Why, end.Why)
	}
	if closed.Rcvd != nil || closed.Code() != protocol.AbnormalClosure || errors.Is(closed, protocol.ErrClosedOK) {
		t.Errorf("%s: %v; want no close frame received", end.Name, closed)
	}
	if !errors.Is(closed, io.EOF) && !errors.Is(closed, syscall.ECONNRESET) {
		t.Errorf("%s: %v; want io.EOF or a reset as the cause", end.Name, closed)
	}
}

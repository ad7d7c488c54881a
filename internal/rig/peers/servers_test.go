package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/protocol"
)

// A clientPeer is a library or a browser that connects to our servers.
type clientPeer struct {
	name    string
	tools   []string
	command []string // the URLs are appended
	page    bool     // it is a browser: it loads a page from the server first
}

var clientPeers = []clientPeer{
	{wsPeer, []string{"node", nodeModules + "ws"},
		[]string{"node", "client.js"}, false},
	{websocketsPeer, []string{python, pythonModules + "websockets"},
		[]string{python, "client_websockets.py"}, false},
	{websocketClientPeer, []string{python, pythonModules + "websocket"},
		[]string{python, "client_websocket_client.py"}, false},
	{javaPeer, []string{"java"},
		[]string{"java", "-Dfile.encoding=UTF-8", "Client.java"}, false},
	{chromiumPeer, []string{"node", nodeModules + "playwright-core", "/usr/bin/chromium"},
		[]string{"node", "browser.js", "chromium", "/usr/bin/chromium"}, true},
	{firefoxPeer, []string{"node", nodeModules + "puppeteer-core", "/usr/bin/firefox-esr"},
		[]string{"node", "browser.js", "firefox", "/usr/bin/firefox-esr"}, true},
}

// TestServers has the clients of other libraries, and browsers, talk to our
// servers. A client performs all checks, says what it saw, and ends; then its
// words are judged.
func TestServers(t *testing.T) {
	for _, peer := range clientPeers {
		t.Run(peer.name, func(t *testing.T) {
			rig.Need(t, peer.tools...)
			t.Parallel()
			for _, f := range face.Both {
				t.Run(f.Name(), func(t *testing.T) { checkServer(t, peer, f) })
			}
		})
	}
}

// checkServer runs the client and judges all checks that it can do.
func checkServer(t *testing.T, peer clientPeer, f face.Face) {
	v := newVisit()
	v.run(t, peer, f)
	for _, name := range checks {
		g, isGap := clientGaps[peer.name][name]
		if isGap && !g.partly {
			continue // in the table of gaps, and so in docs/interop.md
		}
		t.Run(name, func(t *testing.T) { serverChecks[name](t, v, v.result(t, name), isGap) })
	}
	if peer.page {
		t.Run("another origin", func(t *testing.T) { checkOrigin(t, v) })
		t.Run("subprotocol", func(t *testing.T) { checkChat(t, v, "subprotocol", "chat.v2") })
		t.Run("allowed origin", func(t *testing.T) { checkChat(t, v, "allowed origin", "chat.v1") })
	}
}

// A visit is one run of a client.
type visit struct {
	results  map[string]result
	sessions []*session            // the recorded ones
	ends     map[string]chan error // how connections ended, as our server saw it, by path
}

func newVisit() *visit {
	v := &visit{results: make(map[string]result), ends: make(map[string]chan error)}
	for path := range serverPaths {
		v.ends[path] = make(chan error, len(checks)) // of each check at most one
	}
	return v
}

// A result is what a client prints of a check.
type result struct {
	Check    string
	Messages []received
	Pings    []string // that it saw
	Pongs    []string
	Code     int // with which the connection was closed, as it saw it
	Reason   string
	Protocol string
	Error    string

	Version string // the first line has this alone
}

// A received message of the peer.
type received struct {
	Type   string
	Size   int
	SHA256 string
}

// run starts a server and a client and waits for the end of the client.
func (v *visit) run(t *testing.T, peer clientPeer, f face.Face) {
	address, scheme := "", "ws://"
	if peer.page {
		chat := options()
		chat.Protocol, chat.Origins = []string{"chat.v2", "chat.v1"}, []string{"http://localhost:*"}
		address, scheme = servePage(t, mount(t, f, v.handle, options()), mount(t, f, v.handle, chat)), "http://"
	} else {
		address = serve(t, f, v.handle, options())
	}
	tap := newTap(t, address)
	args := append(slices.Clone(peer.command[1:]), scheme+address, scheme+tap.address())
	p := rig.Start(t, command(peer.command[0], args...), nil)
	if err := p.Wait(); err != nil {
		t.Errorf("the client: %v", err) // what it has said is judged all the same
	}
	v.read(t, p.Stdout())
	v.sessions = tap.all(t)
}

// servePage serves the page for browsers, and WebSocket beside it, which is the
// same origin. chat speaks subprotocols, and with pages of localhost too.
func servePage(t *testing.T, handler, chat http.Handler) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", serveFile("page.html"))
	mux.HandleFunc("/checks.js", serveFile("checks.js"))
	for path := range serverPaths {
		mux.Handle(path, handler)
	}
	mux.Handle(chatPath, chat)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func serveFile(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, programs+"/"+name) }
}

// read takes the lines that the client has printed.
func (v *visit) read(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("the client printed %q: %v", line, err)
			continue
		}
		if r.Version != "" {
			t.Logf("%s", r.Version)
		}
		v.results[r.Check] = r
	}
}

// result returns what the client has said of a check. It must have ended with
// a normal end unless the check is about the end.
func (v *visit) result(t *testing.T, check string) result {
	t.Helper()
	r, ok := v.results[check]
	switch {
	case !ok:
		t.Fatal("the client said nothing of this check")
	case r.Error != "":
		t.Fatalf("the client failed: %s", r.Error)
	case check == checkCloseFromPeer || check == checkCloseFromTandem:
	case r.Code != int(protocol.NormalClosure):
		t.Errorf("the client saw the code %d, want 1000", r.Code)
	}
	return r
}

// recorded returns what was recorded of the request for a path.
func (v *visit) recorded(t *testing.T, path string) *session {
	t.Helper()
	for _, s := range v.sessions {
		if strings.HasPrefix(string(s.client), "GET "+path+" ") {
			return s
		}
	}
	t.Fatalf("nobody asked for %s on the recorded address", path)
	return nil
}

// handle is our server. It does what testdata/peers/README.md asks of the
// servers of peers.
func (v *visit) handle(c conn, u *url.URL) error {
	if u.Path == chatPath {
		return echo(c)
	}
	err := serverPaths[u.Path](c)
	if err == nil {
		_, err = c.Recv() // the peer closes; or it has closed
	}
	v.ends[u.Path] <- err
	return err
}

// chatPath is only for browsers.
const chatPath = "/chat"

var serverPaths = map[string]func(conn) error{
	"/echo":      echo,
	"/watch":     echo,
	"/fragments": sendFragments,
	"/ping": func(c conn) error {
		if err := c.PingAndWait(tandemPayload); err != nil {
			return err
		}
		return c.Send(protocol.TextMessage("pong received"))
	},
	"/pong": func(c conn) error {
		if err := c.SendPong(heartbeat); err != nil {
			return err
		}
		return c.Send(protocol.TextMessage("pong sent"))
	},
	"/close": func(c conn) error { return c.CloseWith(tandemCode, tandemReason) },
}

// end waits for the end of a connection with the path and returns how it was.
func (v *visit) end(t *testing.T, path string) error {
	t.Helper()
	select {
	case err := <-v.ends[path]:
		return err
	case <-time.After(patience):
		t.Fatalf("no connection to %s has ended", path)
		return nil
	}
}

// serverChecks has a function for each check. hidden: the client does not show
// what it sees of our control frames, or not all of it.
var serverChecks = map[string]func(t *testing.T, v *visit, r result, hidden bool){
	checkText: func(t *testing.T, _ *visit, r result, _ bool) {
		expectReceived(t, r, protocol.TextMessage(textPayload))
	},
	checkBinary: func(t *testing.T, _ *visit, r result, _ bool) {
		expectReceived(t, r, protocol.BinaryMessage(everyByte()))
	},
	checkEmpty: func(t *testing.T, _ *visit, r result, _ bool) {
		expectReceived(t, r, protocol.TextMessage(""), protocol.BinaryMessage(nil))
	},
	checkLarge: func(t *testing.T, _ *visit, r result, _ bool) {
		expectReceived(t, r, protocol.BinaryMessage(large()))
	},
	checkFragmentsFromTandem: func(t *testing.T, v *visit, r result, _ bool) {
		expectReceived(t, r, protocol.TextMessage(joined(pieces)))
		expectFragments(t, v.recorded(t, "/fragments").server)
	},
	checkFragmentsFromPeer: func(t *testing.T, v *visit, r result, _ bool) {
		expectReceived(t, r, protocol.TextMessage(joined(pieces)))
		expectFragments(t, v.recorded(t, "/echo?fragments").client)
	},
	checkPingFromTandem: func(t *testing.T, _ *visit, r result, hidden bool) {
		expectReceived(t, r, protocol.TextMessage("pong received"))
		expectPayloads(t, "pings", r.Pings, tandemPayload, hidden)
	},
	checkPingFromPeer: func(t *testing.T, _ *visit, r result, _ bool) {
		expectPayloads(t, "pongs", r.Pongs, peerPayload, false)
	},
	checkPongFromTandem: func(t *testing.T, v *visit, r result, hidden bool) {
		expectReceived(t, r, protocol.TextMessage("pong sent"))
		expectPong(t, v.recorded(t, "/pong").server)
		expectPayloads(t, "pongs", r.Pongs, heartbeat, hidden)
	},
	checkPongFromPeer: func(t *testing.T, v *visit, r result, _ bool) {
		expectReceived(t, r, protocol.TextMessage("still here"))
		expectPong(t, v.recorded(t, "/echo?pong").client)
	},
	checkCloseFromTandem: serverCloses,
	checkCloseFromPeer:   serverIsClosed,
}

// expectReceived compares the messages that the client has received.
func expectReceived(t *testing.T, r result, messages ...protocol.Message) {
	t.Helper()
	var want []received
	for _, m := range messages {
		sum := sha256.Sum256(m.Data)
		want = append(want, received{m.Type.String(), len(m.Data), hex.EncodeToString(sum[:])})
	}
	if !slices.Equal(r.Messages, want) {
		t.Errorf("the client received %v, want %v", r.Messages, want)
	}
}

// expectPayloads compares the control frames that the client has seen: exactly
// one, or none if it does not show them.
func expectPayloads(t *testing.T, what string, got []string, want string, hidden bool) {
	t.Helper()
	if hidden && len(got) == 0 {
		return
	}
	if !slices.Equal(got, []string{want}) {
		t.Errorf("the client saw the %s %q, want one with %q", what, got, want)
	}
}

func serverCloses(t *testing.T, v *visit, r result, ownCode bool) {
	if r.Code != int(tandemCode) || r.Reason != tandemReason {
		t.Errorf("the client saw %d %q, want %d %q", r.Code, r.Reason, tandemCode, tandemReason)
	}
	back := tandemCode
	if ownCode {
		back = protocol.NormalClosure
	}
	expectClosedByUs(t, v.end(t, "/close"), back)
}

func serverIsClosed(t *testing.T, v *visit, r result, _ bool) {
	if r.Code != int(peerCode) {
		t.Errorf("the client saw the code %d, want its own back, %d", r.Code, peerCode)
	}
	expectClosedByPeer(t, v.end(t, "/watch"))
}

// checkOrigin: a page of another origin is refused unless the options say
// otherwise.
func checkOrigin(t *testing.T, v *visit) {
	if r := v.results["another origin"]; r.Error == "" {
		t.Errorf("the page connected: %+v", r)
	}
	answer, _, _ := strings.Cut(string(v.recorded(t, "/echo?origin").server), "\r\n")
	if answer != "HTTP/1.1 403 Forbidden" {
		t.Errorf("the answer was %q, want 403", answer)
	}
}

// checkChat: a page has a subprotocol agreed on, and gets its message back.
func checkChat(t *testing.T, v *visit, check, subprotocol string) {
	r := v.result(t, check)
	expectReceived(t, r, protocol.TextMessage("chat"))
	if r.Protocol != subprotocol {
		t.Errorf("the page saw the subprotocol %q, want %q", r.Protocol, subprotocol)
	}
}

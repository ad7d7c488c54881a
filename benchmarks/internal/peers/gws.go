package peers

import (
	"net"
	"net/http"

	"github.com/lxzan/gws"
)

// gwsServer is set up by the defaults, which pool buffers.
func gwsServer(setup Setup) net.Addr { return serveGWS(setup, gwsEcho{}) }

// gwsKept does without the pool, as a program must that keeps its messages.
func gwsKept(setup Setup) net.Addr { return serveGWS(setup, gwsKeeper{}) }

func serveGWS(setup Setup, handler gws.Event) net.Addr {
	opts := new(gws.ServerOption)
	if setup.Deflate {
		opts.PermessageDeflate = gws.PermessageDeflate{
			Enabled:               true,
			ServerContextTakeover: setup.Takeover,
			ClientContextTakeover: setup.Takeover,
		}
	}
	upgrader := gws.NewUpgrader(handler, opts)
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		go must(upgrader.Upgrade(w, r)).ReadLoop()
	})
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(conn *gws.Conn, m *gws.Message) {
	defer m.Close()
	conn.WriteMessage(m.Opcode, m.Bytes())
}

type gwsKeeper struct{ gws.BuiltinEventHandler }

func (gwsKeeper) OnMessage(conn *gws.Conn, m *gws.Message) {
	conn.WriteMessage(m.Opcode, m.Bytes())
}

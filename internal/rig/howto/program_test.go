package howto

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tandemws/tandem/internal/rig"
)

// imports are those that blocks without a package clause may need.
var imports = map[string]string{
	"http": "net/http", "log": "log", "os": "os", "signal": "os/signal", "syscall": "syscall", "time": "time",
	"wssync": "github.com/tandemws/tandem/sync",
}

// program builds a program of a page's block and the main that it lacks.
func program(t testing.TB, block, main string) (path string) {
	t.Helper()
	source := "package main\n\n"
	for name, path := range imports {
		if strings.Contains(block+main, name+".") {
			source += fmt.Sprintf("import %s %q\n", name, path)
		}
	}
	return rig.Program(t, source+block+main)
}

// serving is the main for a page's function serve. Each client is told which
// server it has met, and what that one knows of the client.
const serving = `
func main() {
	server, err := serve(func(conn *wssync.ServerConn) error {
		r := conn.Request()
		text := os.Args[1] + " " + r.RemoteAddr + " " + r.URL.Scheme + " " + r.Host
		if err := conn.SendText(text); err != nil {
			return err
		}
		for msg, err := range conn.Messages() {
			if err != nil {
				return err
			}
			if err := conn.Send(msg); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	if err := server.Shutdown(10 * time.Second); err != nil {
		log.Fatal(err)
	}
}
`

// freeAddress is one of 127.0.0.1 on which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", rig.FreePort(t))
}

// Package proxy starts the reverse proxies that stand before WebSocket servers
// everywhere, and the forward proxies through which clients connect, with short
// idle timeouts, and looks whether connections through them live.
package proxy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"text/template"
	"time"

	"github.com/tandemws/tandem/internal/rig"
)

// A Kind is a program that forwards WebSocket connections.
type Kind struct {
	Name    string
	tools   []string                          // what rig.Need asks for
	config  string                            // its file in testdata/proxies
	command func(file string) (argv []string) // keeps it in the foreground
}

// Kinds are the proxies that there are configurations for.
var Kinds = []Kind{
	{"nginx", []string{"nginx"}, "nginx.conf", func(file string) []string {
		return []string{"nginx", "-c", file}
	}},
	{"HAProxy", []string{"haproxy"}, "haproxy.cfg", func(file string) []string {
		return []string{"haproxy", "-db", "-f", file}
	}},
	{"Apache", []string{"apache2", apacheModules}, "apache.conf", func(file string) []string {
		return []string{"apache2", "-D", "FOREGROUND", "-f", file}
	}},
	{"Caddy", []string{"caddy"}, "Caddyfile", func(file string) []string {
		return []string{"caddy", "run", "--adapter", "caddyfile", "--config", file}
	}},
}

// apacheModules is where Debian has them.
const apacheModules = "/usr/lib/apache2/modules"

// Need is rig.Need for what the proxy needs.
func (k Kind) Need(t testing.TB) {
	t.Helper()
	rig.Need(t, k.tools...)
}

// A Route says which server, host:port, gets the requests for a path.
type Route struct{ Path, Server string }

// Start starts the proxy with an idle timeout of whole seconds and returns
// where it listens, host:port. It ends with the test.
func (k Kind) Start(t testing.TB, idle time.Duration, routes []Route) (address string) {
	t.Helper()
	port := rig.FreePort(t)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	file := writeConfig(t, k.config, port, idle, map[string]any{"Routes": routes, "Modules": apacheModules})
	argv := k.command(file)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(file)) // Caddy leaves things there
	rig.Start(t, cmd, rig.Listens(address))
	return address
}

// writeConfig fills in the configuration and returns its path. What all of them
// know is added to the values.
func writeConfig(t testing.TB, config string, port int, idle time.Duration, values map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, config))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	values["Dir"], values["Port"], values["Seconds"] = dir, port, int(idle/time.Second)
	if err := template.Must(template.ParseFiles(filepath.Join(configs(), config))).Execute(file, values); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// configs is the folder of the configurations, whichever package is tested.
func configs() string {
	_, source, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(source), "../../../testdata/proxies")
}

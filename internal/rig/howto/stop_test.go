//go:build unix

package howto

import (
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
)

// TestStop ends the programs of shutdown.md as they are ended where they run:
// with a signal. Their clients are told so, and they exit without an error.
func TestStop(t *testing.T) {
	rig.Need(t)
	for name, n := range map[string]int{"blocking calls": 0, "contexts": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := freeAddress(t)
			path := rig.Program(t, rig.Replaced(t, rig.Block(t, "shutdown.md", "go", n), "localhost:8765", address))
			server := rig.Start(t, exec.Command(path), rig.Listens(address))
			var conns []face.Conn
			for _, f := range face.Both {
				conns = append(conns, echoed(t, f, "ws://"+address+"/"))
			}
			stop(t, server)
			for _, conn := range conns {
				goneAway(t, conn)
			}
			if err := server.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestKubernetes ends the program of kubernetes.md as Kubernetes does: while it
// says that it is leaving, clients are still let in.
func TestKubernetes(t *testing.T) {
	rig.Need(t)
	t.Parallel()
	address := freeAddress(t)
	source := rig.Block(t, "kubernetes.md", "go", 0)
	path := rig.Program(t, rig.Replaced(t, source, `":8080"`, strconv.Quote(address), "5 * time.Second", "2 * time.Second"))
	server := rig.Start(t, exec.Command(path), rig.Listens(address))
	probe(t, address, "/healthz", 200)
	probe(t, address, "/readyz", 200)
	early := echoed(t, face.Both[0], "ws://"+address+"/")
	stop(t, server)
	awaitStatus(t, address, "/readyz", 503)
	probe(t, address, "/healthz", 200)
	late := echoed(t, face.Both[1], "ws://"+address+"/")
	goneAway(t, early)
	goneAway(t, late)
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
}

// TestGracePeriod: the pod has more time to end than its program takes.
func TestGracePeriod(t *testing.T) {
	seconds := func(text, pattern string) int {
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("nothing like %q in\n%s", pattern, text)
		}
		n, _ := strconv.Atoi(found[1])
		return n
	}
	source := rig.Block(t, "kubernetes.md", "go", 0)
	takes := seconds(source, `Sleep\((\d+) \* time.Second`) + seconds(source, `WithTimeout\(.*, (\d+)\*time.Second`)
	pod := rig.Block(t, "kubernetes.md", "yaml", 0)
	if grace := seconds(pod, `terminationGracePeriodSeconds: (\d+)`); grace <= takes {
		t.Errorf("the pod has %d s, and its program takes %d", grace, takes)
	}
}

// echoed connects to a server that echoes, and sees that it does.
func echoed(t *testing.T, f face.Face, url string) face.Conn {
	t.Helper()
	conn, err := f.Connect(url, &face.Options{Proxy: http.ProxyURL(nil), CloseTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.CloseNow)
	echo(t, conn)
	return conn
}

func stop(t *testing.T, server *rig.Process) {
	t.Helper()
	if err := server.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// probe asks as a probe does, and fails the test unless this is the answer.
func probe(t *testing.T, address, path string, want int) {
	t.Helper()
	if got := status(t, address, path); got != want {
		t.Errorf("%s: status %d, want %d", path, got, want)
	}
}

// awaitStatus waits for an answer: nothing tells when the program has noticed
// the signal.
func awaitStatus(t *testing.T, address, path string, want int) {
	t.Helper()
	for over := time.Now().Add(patience); status(t, address, path) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(over) {
			t.Fatalf("%s: never status %d", path, want)
		}
	}
}

func status(t *testing.T, address, path string) int {
	t.Helper()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

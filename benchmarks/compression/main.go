// Command compression measures what permessage-deflate saves and costs, and
// prints the table of docs/topics/compression.md.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/tandemws/tandem/protocol"
)

func main() {
	for _, load := range loads {
		fmt.Printf("\n%s\n\n", load.title)
		fmt.Println("| window | takeover | level | size sent | compress | decompress | memory of an idle connection |")
		fmt.Println("|---|---|---|---|---|---|---|")
		for _, bits := range []int{9, 12, 15} {
			for _, level := range levels(bits) {
				for _, alone := range []bool{true, false} {
					if err := row(load, bits, level, alone); err != nil {
						fmt.Fprintln(os.Stderr, err)
						os.Exit(1)
					}
				}
			}
		}
	}
}

// levels are those that a window has.
func levels(bits int) []int {
	if bits < 15 {
		return []int{0}
	}
	return []int{1, 6, 9}
}

// row measures one setting and prints it.
func row(load load, bits, level int, alone bool) error {
	d := &protocol.Deflate{
		ServerMaxWindowBits: bits, ClientMaxWindowBits: bits, Level: level, Threshold: -1,
		ServerNoContextTakeover: alone, ClientNoContextTakeover: alone, Pools: make(pools),
	}
	r, err := measure(d, load.messages())
	if err != nil {
		return err
	}
	memory, err := memoryOf(d, load.messages())
	if err != nil {
		return err
	}
	takeover, levelName := "yes", "–"
	if alone {
		takeover = "no"
	}
	if level > 0 {
		levelName = fmt.Sprint(level)
	}
	fmt.Printf("| 2^%d | %s | %s | %.0f %% | %.1f µs | %.1f µs | %.1f kB |\n",
		bits, takeover, levelName, 100*r.ratio, r.compress, r.decompress, memory/1000)
	return nil
}

// A result is what messages came to: their size on the wire in parts of what
// they had, and the time of one in microseconds.
type result struct{ ratio, compress, decompress float64 }

// measure sends the messages over a connection without a network, as often as
// it takes to tell the times. They are those of the processor: others may be
// at work on the machine.
func measure(d *protocol.Deflate, messages [][]byte) (r result, err error) {
	client, server, err := pair(d)
	if err != nil {
		return r, err
	}
	plain, sent, count := 0, 0, 0
	var compressing, decompressing time.Duration
	buf := make([]byte, 0, 1<<20)
	wires := make([][]byte, len(messages))
	for compressing < 100*time.Millisecond {
		begun := processorTime()
		buf = buf[:0]
		for i, m := range messages {
			at := len(buf)
			if buf, err = server.AppendMessage(buf, protocol.Text, m); err != nil {
				return r, err
			}
			wires[i] = buf[at:]
			plain, sent, count = plain+len(m), sent+len(buf)-at, count+1
		}
		between := processorTime()
		for i, wire := range wires {
			client.Received(time.Time{}, 0, wire)
			if ev := client.Next(); ev.Kind != protocol.EventMessage || len(ev.Data) != len(messages[i]) {
				return r, fmt.Errorf("event %+v: %w", ev, client.Violation())
			}
			client.Next()
		}
		compressing += between - begun
		decompressing += processorTime() - between
	}
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(count) }
	return result{float64(sent) / float64(plain), micros(compressing), micros(decompressing)}, nil
}

// processorTime is what the process has used so far.
func processorTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err) // there is no system that refuses it
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// pair returns the two ends of a connection.
func pair(d *protocol.Deflate) (client, server *protocol.Conn, err error) {
	ours, theirs, err := protocol.Negotiate([]protocol.ClientExtensionFactory{d}, []protocol.ServerExtensionFactory{d})
	if err != nil {
		return nil, nil, err
	}
	client = protocol.NewConn(protocol.Config{Role: protocol.Client, Extensions: ours})
	server = protocol.NewConn(protocol.Config{Role: protocol.Server, Extensions: theirs})
	return client, server, nil
}

// memoryOf returns how many bytes the extension of one end holds between
// messages, after enough of them went both ways.
func memoryOf(d *protocol.Deflate, messages [][]byte) (float64, error) {
	const connections = 20
	var kept []protocol.Extension
	before := heap()
	for range connections {
		ours, theirs, err := protocol.Negotiate([]protocol.ClientExtensionFactory{d}, []protocol.ServerExtensionFactory{d})
		if err != nil {
			return 0, err
		}
		client := protocol.NewConn(protocol.Config{Role: protocol.Client, Extensions: ours})
		server := protocol.NewConn(protocol.Config{Role: protocol.Server, Extensions: theirs})
		for size, i := 0, 0; size < 40000; i++ {
			m := messages[i%len(messages)]
			size += len(m)
			if err := exchange(client, server, m); err != nil {
				return 0, err
			}
			if err := exchange(server, client, m); err != nil {
				return 0, err
			}
		}
		kept = append(append(kept, ours...), theirs...)
	}
	used := float64(heap()-before) / (2 * connections)
	runtime.KeepAlive(kept)
	runtime.KeepAlive(messages)
	return max(used, 0), nil
}

func exchange(from, to *protocol.Conn, m []byte) error {
	wire, err := from.AppendMessage(nil, protocol.Text, m)
	if err != nil {
		return err
	}
	to.Received(time.Now(), 0, wire)
	for ev := to.Next(); ev.Kind != protocol.EventNone; ev = to.Next() {
		if ev.Kind == protocol.EventViolation {
			return to.Violation()
		}
	}
	return nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// pools keep everything, for one goroutine.
type pools map[int][]any

func (p pools) Get(kind int) any {
	n := len(p[kind])
	if n == 0 {
		return nil
	}
	x := p[kind][n-1]
	p[kind] = p[kind][:n-1]
	return x
}

func (p pools) Put(kind int, x any) { p[kind] = append(p[kind], x) }

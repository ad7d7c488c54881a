package suite

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// errTooSlow is the same in both faces.
var errTooSlow = wssync.ErrTooSlow

// audience has n clients, of both faces in turn, connect to a server of the
// face. It returns both ends of each connection; the server's handlers wait for
// the end. Client i has the options that its function returns.
func audience(t *testing.T, face Face, opts Options, n int, of func(i int) Options) (clients, servers []Conn) {
	t.Helper()
	network, accepted := NewNetwork(), make(chan Conn)
	opts.Listener = network
	server, err := face.Serve(func(conn Conn) error {
		accepted <- conn
		<-conn.Done()
		return nil
	}, "", &opts)
	ok(t, err)
	t.Cleanup(func() { server.Shutdown(time.Minute) })
	scheme := "ws"
	if opts.TLS != nil {
		scheme = "wss"
	}
	for i := range n {
		own := of(i)
		own.Dial = network.Dial
		client, err := Faces[i%2].Connect(scheme+"://tandem.test/", &own)
		ok(t, err)
		t.Cleanup(client.CloseNow)
		clients = append(clients, client)
		servers = append(servers, <-accepted)
	}
	return clients, servers
}

// bare are options without pings and without compression.
func bare(int) Options {
	var o Options
	o.Keepalive.Interval = noPings
	o.Compression.Disabled = true
	return o
}

// stalled are those of a client that takes in little of what it does not
// receive.
func stalled(i int) Options {
	o := bare(i)
	o.MaxQueue = 1
	return o
}

// broadcast sends a message that nothing is to hinder.
func broadcast(t *testing.T, face Face, conns []Conn, m protocol.Message) {
	t.Helper()
	if missed, err := face.Broadcast(conns, m, BroadcastOptions{}); err != nil {
		t.Fatal(err, missed)
	}
}

// TestBroadcast has messages of all sizes sent to connections that have agreed
// on all kinds of compression, or on none, in plain text and over TLS, and
// messages of one connection's own in between. Each client gets its messages in
// order.
func TestBroadcast(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		secure, trusting := Certificate(t)
		for _, tls := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(4, 2))
			opts := Options{MaxFragmentSize: 20000}
			if tls {
				opts.TLS = secure
			}
			names := []string{"defaults", "smallest", "largest", "no takeover", "off"}
			clients, servers := audience(t, face, opts, 15, func(i int) (o Options) {
				o.Compression = compressions[names[i%len(names)]]
				if tls {
					o.TLS = trusting
				}
				return o
			})
			var sent [15][]string
			var receiving sync.WaitGroup
			got := make([][]string, len(clients))
			for i, client := range clients {
				receiving.Go(func() { got[i] = receiveUntil(t, client, "end") })
			}
			for _, n := range []int{10, 64, 127, 128, 0, 300, 5000, 30000, 100, 200000, 40, 1000, 100, 100, 100} {
				text := string(jsonOf(rng, n)[:n])
				own := rng.IntN(len(servers))
				ok(t, servers[own].Send(protocol.TextMessage("own "+text), 0))
				sent[own] = append(sent[own], "own "+text)
				broadcast(t, face, servers, protocol.TextMessage(text))
				for i := range sent {
					sent[i] = append(sent[i], text)
				}
			}
			broadcast(t, face, servers, protocol.TextMessage("end"))
			receiving.Wait()
			for i := range sent {
				if !slices.Equal(got[i], sent[i]) {
					t.Errorf("TLS %t, client %d: %d messages, not the %d that were sent", tls, i, len(got[i]), len(sent[i]))
				}
			}
		}
	})
}

func receiveUntil(t *testing.T, conn Conn, last string) (got []string) {
	for m, err := range conn.Messages() {
		if err != nil {
			t.Error(err)
		}
		if err != nil || m.String() == last {
			break
		}
		got = append(got, m.String())
	}
	return got
}

// TestBroadcastSlow has 2,000 connections, 50 of which receive nothing. All
// others get each message in no time at all.
// The slow ones get what they have room for, in order, when they receive; for
// each of the rest there is an error that tells which connection it was.
func TestBroadcastSlow(t *testing.T) {
	const slow, messages, size, backlog = 50, 16, 16 << 10, 4
	conns := 2000
	if Race {
		conns = 300
	}
	EachFace(t, func(t *testing.T, face Face) {
		opts := bare(0)
		clients, servers := audience(t, face, opts, conns, stalled)
		begun := time.Now()
		took := make([]int, slow) // how many messages each slow one took
		for k := range messages {
			message := protocol.BinaryMessage(append(fmt.Appendf(nil, "%d ", k), pattern(size)...))
			missed, _ := face.Broadcast(servers, message, BroadcastOptions{MaxBacklog: backlog})
			for i := range slow {
				if err := missed[servers[i]]; err == nil {
					took[i]++
				} else if is(t, err, errTooSlow); k < backlog {
					t.Fatalf("message %d had no room", k)
				}
				delete(missed, servers[i])
			}
			if len(missed) > 0 {
				t.Fatalf("message %d: %v", k, missed)
			}
			for _, client := range clients[slow:] {
				_, data, err := client.RecvAppend(nil)
				if err != nil || !bytes.Equal(data, message.Data) {
					t.Fatalf("message %d: %d bytes, %v", k, len(data), err)
				}
			}
		}
		if d := time.Since(begun); d > 0 { // a second is what is asked for
			t.Errorf("%v passed", d)
		}
		for i := range slow {
			if took[i] > backlog+128<<10/size { // what the network holds too
				t.Errorf("connection %d has taken %d messages", i, took[i])
			}
			for k := range took[i] {
				m, err := clients[i].Recv(0)
				if err != nil || !strings.HasPrefix(string(m.Data[:20]), fmt.Sprintf("%d ", k)) {
					t.Fatalf("message %d: %.20q, %v", k, m.Data, err)
				}
			}
		}
		broadcast(t, face, servers, protocol.TextMessage("there is room again"))
		for _, client := range clients[:slow] {
			expect(t, client, "there is room again")
		}
	})
}

// fill broadcasts to a connection whose client does not receive until it has no
// room, also when the client has taken in what it takes unasked. It returns how
// many messages there are.
func fill(t *testing.T, face Face, conn Conn) (n int) {
	t.Helper()
	for full := false; ; {
		missed, err := face.Broadcast([]Conn{conn}, numberedMessage(n), BroadcastOptions{})
		switch {
		case err == nil:
			n, full = n+1, false
		case full:
			return n
		default:
			is(t, err, errTooSlow)
			is(t, missed[conn], errTooSlow)
			full = true
			time.Sleep(time.Second)
		}
		if n > 1000 {
			t.Fatal("no end of room")
		}
	}
}

func numberedMessage(n int) protocol.Message {
	return protocol.BinaryMessage(append(fmt.Appendf(nil, "%d ", n), pattern(8<<10)...))
}

// TestBroadcastDrop has the policy close slow connections: those that the
// option chooses, at once, with code 1008 for a client that goes on receiving,
// and none else.
func TestBroadcastDrop(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		clients, servers := audience(t, face, bare(0), 3, stalled)
		asked := 0
		opts := BroadcastOptions{Drop: func(conn Conn) bool {
			asked++
			return conn == servers[1] || conn == servers[2]
		}}
		filled := fill(t, face, servers[1])
		fill(t, face, servers[2])
		fill(t, face, servers[0])
		missed, err := face.Broadcast(servers, protocol.TextMessage("last"), opts)
		is(t, err, errTooSlow)
		if len(missed) != 3 || asked != 3 {
			t.Errorf("%d missed it, %d were asked: %v", len(missed), asked, err)
		}
		if missed, err := face.Broadcast(servers[1:], protocol.TextMessage("later"), opts); err != nil {
			t.Errorf("closed connections: %v, %v", missed, err)
		}
		got := 0
		for {
			_, err := clients[1].Recv(0)
			if err == nil {
				got++
				continue
			}
			if told := closeError(t, err); told.Rcvd == nil || told.Rcvd.Code != protocol.PolicyViolation || told.Rcvd.Reason != "too slow" {
				t.Errorf("closed with %v", told)
			}
			break
		}
		if got > filled-15 {
			t.Errorf("%d of %d messages came, and the backlog was to be dropped", got, filled)
		}
		begun := time.Now()
		for _, conn := range servers[1:] {
			<-conn.Done()
			is(t, conn.Err(), errTooSlow)
		}
		took(t, begun, 10*time.Second) // the close timeout, for the client that reads nothing
		if state := servers[0].State(); state != protocol.Open {
			t.Errorf("the other one is %v", state)
		}
	})
}

// TestBroadcastWait has Broadcast wait for slow connections: those that make
// room in time get the message, in its place, and others do not; all share the
// time, and fast ones have the message at once.
func TestBroadcastWait(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		clients, servers := audience(t, face, bare(0), 6, stalled)
		var filled [6]int
		for i := range 5 {
			filled[i] = fill(t, face, servers[i])
		}
		begun := time.Now()
		var receiving sync.WaitGroup
		receiving.Go(func() { expect(t, clients[5], "patience"); took(t, begun, 0) })
		for i := range 2 {
			receiving.Go(func() {
				time.Sleep(300 * time.Millisecond)
				for range filled[i] {
					_, err := clients[i].Recv(0)
					ok(t, err)
				}
				expect(t, clients[i], "patience")
			})
		}
		missed, err := face.Broadcast(servers, protocol.TextMessage("patience"), BroadcastOptions{
			Wait: 500 * time.Millisecond, Drop: func(conn Conn) bool { return conn == servers[2] },
		})
		is(t, err, errTooSlow)
		took(t, begun, 500*time.Millisecond)
		receiving.Wait()
		for _, conn := range servers[2:5] {
			is(t, missed[conn], errTooSlow)
		}
		if len(missed) != 3 || servers[2].State() == protocol.Open {
			t.Errorf("%v missed it", missed)
		}
		for k := range filled[3] {
			m, err := clients[3].Recv(0)
			if err != nil || string(m.Data) != string(numberedMessage(k).Data) {
				t.Fatalf("%.20q, %v", m.Data, err)
			}
		}
		broadcast(t, face, servers[3:4], protocol.TextMessage("next"))
		expect(t, clients[3], "next") // and not the one that it missed
	})
}

// deaf is a connection to a client that has a message and takes in no more until
// it receives that.
func deaf(t *testing.T, face Face, opts Options) (client, server Conn) {
	t.Helper()
	clients, servers := audience(t, face, opts, 1, stalled)
	broadcast(t, face, servers, protocol.TextMessage("first"))
	time.Sleep(time.Second)
	return clients[0], servers[0]
}

// writing has a broadcast of 256 KiB, more than the network holds, be written to
// a client that takes in nothing.
func writing(t *testing.T, face Face) (client, server Conn) {
	t.Helper()
	client, server = deaf(t, face, bare(0))
	broadcast(t, face, []Conn{server}, protocol.BinaryMessage(make([]byte, 256<<10)))
	return client, server
}

// expectSizes receives messages of these sizes.
func expectSizes(t *testing.T, conn Conn, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		if m, err := conn.Recv(0); err != nil || len(m.Data) != size {
			t.Fatalf("%d bytes, %v; want %d", len(m.Data), err, size)
		}
	}
}

// TestBroadcastPatient: who waits for room is the next to get it. A message that
// would fit is not taken before one that does not.
func TestBroadcastPatient(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		client, server := writing(t, face)
		opts := BroadcastOptions{MaxBacklogBytes: 300 << 10}
		patient := opts
		patient.Wait = time.Minute
		waited := make(chan error)
		go func() {
			_, err := face.Broadcast([]Conn{server}, protocol.BinaryMessage(make([]byte, 100<<10)), patient)
			waited <- err
		}()
		synctest.Wait()
		_, err := face.Broadcast([]Conn{server}, protocol.TextMessage("small"), opts)
		is(t, err, errTooSlow)
		expectSizes(t, client, len("first"), 256<<10, 100<<10)
		ok(t, <-waited)
	})
}

// TestBroadcastGivesUp: who has waited for room in vain does not stand in the
// way of others, however long the message before them takes.
func TestBroadcastGivesUp(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		client, server := writing(t, face)
		for range 2 { // the second while the first is behind the one that is written
			_, err := face.Broadcast([]Conn{server}, protocol.TextMessage("in vain"), BroadcastOptions{MaxBacklog: 1, Wait: time.Second})
			is(t, err, errTooSlow)
		}
		broadcast(t, face, []Conn{server}, protocol.TextMessage("there is room for more than one"))
		expectSizes(t, client, len("first"), 256<<10)
		expect(t, client, "there is room for more than one")
	})
}

// TestBroadcastDropsWaiting: who waits for room on a connection that is dropped
// does not wait any longer.
func TestBroadcastDropsWaiting(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		_, server := writing(t, face)
		begun := time.Now()
		waited := make(chan error)
		for range 2 { // one that the goroutine that writes waits for, and one behind it
			go func() {
				_, err := face.Broadcast([]Conn{server}, protocol.TextMessage("patient"), BroadcastOptions{MaxBacklog: 1, Wait: time.Minute})
				waited <- err
			}()
		}
		synctest.Wait()
		_, err := face.Broadcast([]Conn{server}, protocol.TextMessage("x"), BroadcastOptions{MaxBacklog: 1, Drop: func(Conn) bool { return true }})
		is(t, err, errTooSlow)
		for range 2 {
			ok(t, <-waited)
		}
		took(t, begun, 0)
	})
}

// TestBroadcastCancelled: the context of async bounds the waiting too, and one
// that has ended sends nothing.
func TestBroadcastCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		face := Async{}
		clients, servers := audience(t, face, bare(0), 2, stalled)
		fill(t, face, servers[0])
		begun := time.Now()
		missed, err := face.Broadcast(servers, protocol.TextMessage("x"), BroadcastOptions{Wait: time.Hour, Within: time.Second})
		is(t, err, timeoutOf(face))
		is(t, err, errTooSlow)
		took(t, begun, time.Second)
		if len(missed) != 1 {
			t.Error(missed)
		}
		expect(t, clients[1], "x")
		missed, err = face.Broadcast(servers, protocol.TextMessage("y"), BroadcastOptions{Within: -1})
		if is(t, err, timeoutOf(face)); missed != nil {
			t.Error(missed)
		}
		broadcast(t, face, servers[1:], protocol.TextMessage("z"))
		expect(t, clients[1], "z")
	})
}

// TestBroadcastBacklog hits both bounds of the backlog, exactly.
func TestBroadcastBacklog(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for _, test := range []struct {
			messages, bytes int
			size            int
			want            int // that fit behind the one that is being written
		}{
			{0, 0, 1 << 10, 15},
			{5, 0, 1 << 10, 4},
			{0, 3000, 1000, 0},
			{-1, 400 << 10, 100 << 10, 1},
			{-1, -1, 1 << 10, 200},
			{0, 10, 1 << 10, 0},
		} {
			_, servers := audience(t, face, bare(0), 1, stalled)
			opts := BroadcastOptions{MaxBacklog: test.messages, MaxBacklogBytes: test.bytes}
			big := protocol.BinaryMessage(make([]byte, 256<<10)) // more than the network holds, so that it is being written
			missed, err := face.Broadcast(servers, big, opts)
			if err != nil {
				t.Fatal(err, missed)
			}
			n := 0
			for ; n < 200; n++ {
				if _, err := face.Broadcast(servers, protocol.BinaryMessage(make([]byte, test.size)), opts); err != nil {
					break
				}
			}
			if n != test.want {
				t.Errorf("%+v: %d fit", test, n)
			}
		}
	})
}

// TestBroadcastOrder mixes broadcasts and a connection's own messages while
// little gets through: what one goroutine sends arrives in order, also behind
// messages in fragments.
func TestBroadcastOrder(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		clients, servers := audience(t, face, bare(0), 1, stalled)
		w, err := servers[0].SendWriter(protocol.Text)
		ok(t, err)
		_, err = io.WriteString(w, "begun, ")
		ok(t, err)
		broadcast(t, face, servers, protocol.TextMessage("broadcast while another message is sent"))
		_, err = io.WriteString(w, "ended")
		ok(t, err)
		ok(t, w.Close())
		expect(t, clients[0], "begun, ended")
		expect(t, clients[0], "broadcast while another message is sent")

		const n = 60
		go func() { // ends when all are sent
			prepared, err := face.Prepare(protocol.BinaryMessage([]byte("prepared")))
			ok(t, err)
			for k := range n {
				switch k % 3 {
				case 0:
					ok(t, servers[0].Send(numberedMessage(k), 0))
				case 1:
					ok(t, prepared.SendTo(servers[0], 0))
				default:
					_, err := face.Broadcast(servers, numberedMessage(k), BroadcastOptions{MaxBacklog: -1, MaxBacklogBytes: -1})
					ok(t, err)
				}
			}
		}()
		for k := range n {
			time.Sleep(time.Millisecond)
			want := string(numberedMessage(k).Data)
			if k%3 == 1 {
				want = "prepared"
			}
			if m, err := clients[0].Recv(0); err != nil || m.String() != want {
				t.Fatalf("message %d: %.20q, %v", k, m.Data, err)
			}
		}
	})
}

// TestBroadcastEnds closes and cuts connections that have a backlog: nothing is
// left of it, and Close does not lose what it has room for.
func TestBroadcastEnds(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		clients, servers := audience(t, face, bare(0), 3, stalled)
		time.Sleep(time.Second)
		synctest.Wait()
		before := goroutines(t)
		var filled [3]int
		for i := range filled {
			filled[i] = fill(t, face, servers[i])
		}
		synctest.Wait()
		if n := goroutines(t) - before; n > 2*len(servers) {
			t.Errorf("%d goroutines for %d connections with a backlog", n, len(servers))
		}
		begun := time.Now()
		servers[0].CloseNow()
		took(t, begun, 0)
		clients[1].CloseNow()
		<-servers[1].Done()
		closing := make(chan error)
		go func() { closing <- servers[2].Close() }()
		for range filled[2] {
			_, err := clients[2].Recv(0)
			ok(t, err)
		}
		expectClosed(t, clients[2])
		ok(t, <-closing)
		clients[0].CloseNow()
		broadcast(t, face, servers, protocol.TextMessage("to nobody"))
	})
}

// TestBroadcastWriteTimeout: the options' bound for each write ends a connection
// whose backlog does not move.
func TestBroadcastWriteTimeout(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		opts := bare(0)
		opts.WriteTimeout = 3 * time.Second
		_, servers := audience(t, face, opts, 1, stalled)
		begun := time.Now()
		for range 2 { // the client takes in one of them
			_, err := face.Broadcast(servers, protocol.BinaryMessage(make([]byte, 1<<20)), BroadcastOptions{MaxBacklogBytes: -1})
			ok(t, err)
		}
		<-servers[0].Done()
		if d := time.Since(begun); d < opts.WriteTimeout || d > opts.WriteTimeout+time.Second {
			t.Errorf("ended after %v", d)
		}
		is(t, servers[0].Err(), wssync.ErrPartialWrite)
	})
}

// TestBroadcastPings: pongs and pings get through between the frames of a large
// message to a slow connection.
func TestBroadcastPings(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		opts := bare(0)
		opts.MaxFragmentSize = 10000
		clients, servers := audience(t, face, opts, 1, bare)
		broadcast(t, face, servers, protocol.BinaryMessage(make([]byte, 500000)))
		pong, err := clients[0].Ping(nil)
		ok(t, err)
		typ, r, err := clients[0].RecvReader()
		ok(t, err)
		n, err := io.Copy(io.Discard, io.LimitReader(r, 400000))
		ok(t, err)
		_, err = pong.Wait(time.Second)
		ok(t, err)
		rest, err := io.Copy(io.Discard, r)
		if err != nil || n+rest != 500000 || typ != protocol.Binary {
			t.Errorf("%d bytes, %v", n+rest, err)
		}
	})
}

// TestBroadcastInvalid refuses what cannot be sent, to everybody.
func TestBroadcastInvalid(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		clients, servers := audience(t, face, bare(0), 1, bare)
		_, err := face.Broadcast(servers, protocol.TextMessage("\xff"), BroadcastOptions{})
		is(t, err, protocol.ErrInvalidText)
		_, err = face.Broadcast(servers, protocol.Message{}, BroadcastOptions{})
		is(t, err, protocol.ErrMessageType)
		_, err = face.Prepare(protocol.Message{})
		is(t, err, protocol.ErrMessageType)
		broadcast(t, face, servers, protocol.TextMessage("valid"))
		expect(t, clients[0], "valid")
		broadcast(t, face, nil, protocol.TextMessage("to nobody"))
	})
}

// TestManyBroadcasters has several goroutines broadcast, others send, ping and
// close, while clients receive at different speeds. Messages of one goroutine
// arrive in order and whole.
func TestManyBroadcasters(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		const conns, each = 8, 60
		names := []string{"defaults", "smallest", "no takeover", "off"}
		clients, servers := audience(t, face, Options{MaxFragmentSize: 3000}, conns, func(i int) (o Options) {
			o.Compression, o.MaxQueue = compressions[names[i%len(names)]], 1
			return o
		})
		var all sync.WaitGroup
		for i, client := range clients {
			all.Go(func() { inSenderOrder(t, client, time.Duration(i)*time.Millisecond) })
			all.Go(func() {
				for k := range each {
					servers[i].Send(protocol.BinaryMessage(numberedOf(9, k, 1000)), time.Duration(k%2)*time.Hour)
					servers[i].Ping(nil)
					time.Sleep(time.Millisecond)
				}
			})
		}
		var broadcasting sync.WaitGroup
		for sender := range 4 {
			broadcasting.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(sender), 3))
				for k := range each {
					face.Broadcast(servers, protocol.BinaryMessage(numberedOf(sender, k, rng.IntN(9000))), BroadcastOptions{
						Wait: time.Duration(sender%2) * time.Duration(rng.IntN(5)) * time.Millisecond,
					})
					time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
				}
			})
		}
		broadcasting.Wait()
		for _, conn := range servers {
			all.Go(func() { conn.Close() })
		}
		all.Wait()
	})
}

func numberedOf(sender, k, n int) []byte {
	return append(fmt.Appendf(nil, "%d %d ", sender, k), pattern(n)...)
}

// inSenderOrder receives messages until the end, those of each sender with growing
// numbers and unharmed.
func inSenderOrder(t *testing.T, conn Conn, pause time.Duration) {
	next := make(map[int]int)
	for m, err := range conn.Messages() {
		var sender, k int
		if err != nil {
			t.Error(err)
			return
		}
		if n, err := fmt.Sscanf(string(m.Data), "%d %d ", &sender, &k); n != 2 {
			t.Errorf("%.20q: %v", m.Data, err)
			return
		}
		head := fmt.Sprintf("%d %d ", sender, k)
		if k < next[sender] || !bytes.Equal(m.Data[len(head):], pattern(len(m.Data)-len(head))) {
			t.Errorf("%q came after %d, of %d bytes", head, next[sender]-1, len(m.Data))
		}
		next[sender] = k + 1
		time.Sleep(pause)
	}
}

// TestPreparedLeft has SendPrepared run out of time: nothing was sent, and
// nothing refers to it; or a part was, which ends the connection.
func TestPreparedLeft(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		options := func(int) (o Options) {
			o.Keepalive.Interval, o.MaxQueue = noPings, 1
			o.Compression.Threshold = 5000
			return o
		}
		clients, servers := audience(t, face, options(0), 1, options)
		filled := 0
		for servers[0].Send(protocol.BinaryMessage(make([]byte, 4096-4)), time.Second) == nil { // fills the path without a part of a frame
			filled++
		}
		ok(t, servers[0].Err())
		text := string(jsonOf(rand.New(rand.NewPCG(3, 4)), 6000))
		prepared, err := face.Prepare(protocol.TextMessage(text))
		ok(t, err)
		for range 3 {
			is(t, prepared.SendTo(servers[0], time.Second), servers[0].TimeoutError())
		}
		for range filled {
			_, err := clients[0].Recv(0)
			ok(t, err)
		}
		for range 2 {
			ok(t, prepared.SendTo(servers[0], 0))
			expect(t, clients[0], text)
		}
		random := make([]byte, 1000000)
		rand.NewChaCha8([32]byte{}).Read(random)
		large, err := face.Prepare(protocol.BinaryMessage(random))
		ok(t, err)
		for range 3 { // the client takes in some
			if err = large.SendTo(servers[0], time.Second); err != nil {
				break
			}
		}
		is(t, err, wssync.ErrPartialWrite)
		is(t, prepared.SendTo(servers[0], 0), protocol.ErrClosed)
	})
}

// TestPreparedCutShort: a message of which some fragments were sent and no part
// of the next one ends the connection at the limit, as one within a fragment does.
func TestPreparedCutShort(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		const frame = 4096 // divides what the network holds
		message := protocol.BinaryMessage(make([]byte, 1<<20))
		for name, send := range map[string]func(Conn) error{
			"prepared": func(conn Conn) error {
				prepared, err := face.Prepare(message)
				ok(t, err)
				return prepared.SendTo(conn, time.Second)
			},
			"broadcast": func(conn Conn) error {
				_, err := face.Broadcast([]Conn{conn}, message, BroadcastOptions{})
				ok(t, err)
				<-conn.Done()
				return conn.Err()
			},
		} {
			opts := bare(0)
			opts.MaxFragmentSize = frame - 4
			if name == "broadcast" {
				opts.WriteTimeout = time.Second
			}
			_, server := deaf(t, face, opts)
			if is(t, send(server), wssync.ErrPartialWrite); server.State() == protocol.Open {
				t.Errorf("%s: the connection goes on", name)
			}
		}
	})
}

// TestPreparedClient sends prepared messages as a client.
func TestPreparedClient(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			for _, text := range []string{"short", string(jsonOf(rand.New(rand.NewPCG(3, 4)), 1000))} {
				prepared, err := s.Client.Prepare(protocol.TextMessage(text))
				ok(t, err)
				for range 2 {
					ok(t, prepared.SendTo(client, 0))
					expect(t, server, text)
				}
			}
		})
	})
}

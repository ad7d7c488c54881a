package keepalive

import (
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A round trip is counted in the first bucket whose bound it does not exceed.
func TestRTTBucket(t *testing.T) {
	for rtt, want := range map[time.Duration]int{
		-1: 0, 0: 0, 100 * time.Microsecond: 0, 100*time.Microsecond + 1: 1,
		ms: 3, sec: 12, sec + 1: 13, 10 * sec: RTTBuckets - 2, time.Hour: RTTBuckets - 1,
	} {
		if got := RTTBucket(rtt); got != want {
			t.Errorf("%v is in bucket %d, want %d", rtt, got, want)
		}
	}
}

// Each names every field of Closes once, with its own count.
func TestClosesEach(t *testing.T) {
	var c Closes
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(1 << i)
	}
	sum, names := uint64(0), map[string]bool{}
	c.Each(func(cause string, n uint64) {
		sum += n
		names[cause] = true
	})
	if len(names) != v.NumField() || sum != 1<<v.NumField()-1 {
		t.Errorf("names %v, sum %b", names, sum)
	}
}

// The text is what Prometheus reads: buckets count all below them too, and end
// with the count.
func TestWritePrometheus(t *testing.T) {
	totals := Totals{Open: 2, Opened: 5, PingsSent: 4, Closes: Closes{OK: 2, PeerStuck: 1}}
	for _, rtt := range []time.Duration{ms, 2 * ms, time.Minute} {
		totals.RTT.Counts[RTTBucket(rtt)]++
		totals.RTT.Sum += rtt
	}
	var text strings.Builder
	if err := totals.WritePrometheus(&text, "ws", `server="chat"`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE ws_connections gauge\nws_connections{server=\"chat\"} 2\n",
		`ws_connections_closed_total{server="chat",cause="peer_stuck"} 1`,
		`ws_ping_rtt_seconds_bucket{server="chat",le="0.0005"} 0`,
		`ws_ping_rtt_seconds_bucket{server="chat",le="0.001"} 1`,
		`ws_ping_rtt_seconds_bucket{server="chat",le="0.0025"} 2`,
		`ws_ping_rtt_seconds_bucket{server="chat",le="10"} 2`,
		`ws_ping_rtt_seconds_bucket{server="chat",le="+Inf"} 3`,
		`ws_ping_rtt_seconds_sum{server="chat"} 60.003`,
		`ws_ping_rtt_seconds_count{server="chat"} 3`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("there is no %s in\n%s", want, &text)
		}
	}
	text.Reset()
	totals.WritePrometheus(&text, "ws", "")
	if !strings.Contains(text.String(), "\nws_connections 2\n") {
		t.Errorf("without labels:\n%s", &text)
	}
}

// A full disk: the first error is returned.
func TestWritePrometheusFails(t *testing.T) {
	if err := new(Totals).WritePrometheus(full{}, "ws", ""); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// The totals survive JSON, in which expvar shows them, with a histogram's bounds.
func TestTotalsJSON(t *testing.T) {
	totals := Totals{Open: 3, Closes: Closes{PeerStuck: 2}}
	totals.RTT.Counts[1], totals.RTT.Sum = 7, sec
	text, err := json.Marshal(totals)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"Open":3`, `"PeerStuck":2`, `"RTT":{"Bounds":[100000,250000,`, `10000000000],"Counts":[0,7,0`, `"Sum":1000000000}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s\n\twithout %s", text, want)
		}
	}
	var again Totals
	if err := json.Unmarshal(text, &again); err != nil || again != totals {
		t.Errorf("%+v, %v; want %+v", again, err, totals)
	}
}

// In a log a TimeoutError has attributes, those of the transport if it is known.
func TestTimeoutErrorLogValue(t *testing.T) {
	for _, known := range []bool{false, true} {
		var text strings.Builder
		err := &TimeoutError{Cause: NetworkDead, Waited: 3 * sec, Transport: Transport{Known: known, Unacked: 7}}
		slog.New(slog.NewTextHandler(&text, nil)).Info("lost", "error", err)
		if got := text.String(); !strings.Contains(got, `error.cause="network dead" error.waited=3s`) ||
			strings.Contains(got, "error.unacked=7") != known {
			t.Errorf("logged %s", got)
		}
	}
}

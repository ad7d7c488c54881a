package reconnect_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// A schedule that is asked by hand. Nothing waits here.
func ExampleSchedule() {
	schedule := reconnect.NewSchedule(reconnect.Config{
		Delay: func(_ int, limit time.Duration) time.Duration { return limit }, // no random delays here
	})
	refused := errors.New("connection refused")
	for range 3 {
		fmt.Println("wait for", schedule.Failed(refused, time.Now()).Delay)
	}
	fmt.Println("connected, and it lasts")
	fmt.Println("wait for", schedule.Ended(errors.New("EOF"), time.Hour).Delay)
	// Output:
	// wait for 5s
	// wait for 3.1s
	// wait for 5.0158s
	// connected, and it lasts
	// wait for 5s
}

// More statuses are worth another attempt here than by default, and certificates
// that are not trusted are not.
func ExampleConfig_processError() {
	cfg := reconnect.Config{
		ProcessError: func(err error) error {
			var refused *protocol.InvalidStatusError
			if errors.As(err, &refused) && refused.Response.StatusCode == http.StatusTooManyRequests {
				return nil // after Retry-After, if the server has said when
			}
			var untrusted *tls.CertificateVerificationError
			if errors.As(err, &untrusted) {
				return err
			}
			return reconnect.ProcessError(err)
		},
	}
	tooMany := &protocol.InvalidStatusError{Response: &http.Response{StatusCode: 429}}
	fmt.Println(cfg.ProcessError(tooMany))
	// Output: <nil>
}

// Delays that are never less than half of their limit, in place of full jitter.
func ExampleConfig_delay() {
	cfg := reconnect.Config{
		Delay: func(_ int, limit time.Duration) time.Duration {
			return limit/2 + rand.N(limit/2+1)
		},
	}
	w := reconnect.NewSchedule(cfg).Failed(errors.New("connection refused"), time.Now())
	fmt.Println(w.Delay >= 2500*time.Millisecond && w.Delay <= 5*time.Second)
	// Output: true
}

package suite

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// send sends a text message, which nothing is to hinder.
func send(t *testing.T, conn Conn, text string) {
	t.Helper()
	if err := conn.Send(protocol.TextMessage(text), 0); err != nil {
		t.Fatalf("send %.40q: %v", text, err)
	}
}

// expect receives a message, which is to be this text.
func expect(t *testing.T, conn Conn, text string) {
	t.Helper()
	m, err := conn.Recv(0)
	if err != nil || m.Type != protocol.Text || string(m.Data) != text {
		t.Fatalf("received %v %.80q, %v; want %.80q", m.Type, m.Data, err, text)
	}
}

// expectClosed receives the end of the connection.
func expectClosed(t *testing.T, conn Conn) *protocol.CloseError {
	t.Helper()
	m, err := conn.Recv(0)
	return closeError(t, err, m)
}

// closeError returns err, which is to be a CloseError.
func closeError(t *testing.T, err error, detail ...any) *protocol.CloseError {
	t.Helper()
	var closed *protocol.CloseError
	if !errors.As(err, &closed) || !errors.Is(err, protocol.ErrClosed) {
		t.Fatalf("error %v %v, want a CloseError", err, detail)
	}
	return closed
}

// is fails the test unless errors.Is finds target in err.
func is(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}

// ok fails the test if there is an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// took fails the test unless d, measured in virtual time, is want.
func took(t *testing.T, since time.Time, want time.Duration) {
	t.Helper()
	if d := time.Since(since); d != want {
		t.Fatalf("took %v, want %v", d, want)
	}
}

// as returns what errors.As finds in err, or the zero value.
func as[E error](err error) (target E) {
	errors.As(err, &target)
	return target
}

// timeoutOf returns the error that a face's calls have at their bound.
func timeoutOf(face Face) error {
	if face == (Sync{}) {
		return os.ErrDeadlineExceeded
	}
	return context.DeadlineExceeded
}

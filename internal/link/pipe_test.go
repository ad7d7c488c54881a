package link

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestPipeHalfClose ends one direction: what was sent before still arrives, then
// EOF, and the other direction goes on.
func TestPipeHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewPipe()
		io.WriteString(a, "last")
		a.(*pipeEnd).CloseWrite()
		if _, err := io.WriteString(a, "more"); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("wrote after the end: %v", err)
		}
		if got, err := io.ReadAll(b); err != nil || string(got) != "last" {
			t.Errorf("read %q, %v", got, err)
		}
		io.WriteString(b, "answer")
		b.Close()
		if got, err := io.ReadAll(a); err != nil || string(got) != "answer" {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := io.WriteString(b, "x"); err == nil {
			t.Error("wrote after Close")
		}
		a.Close()
	})
}

// TestPipeWindow has a writer wait for a reader that has stopped, until its
// deadline, and go on when the reader does.
func TestPipeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewPipe()
		defer a.Close()
		defer b.Close()
		const room = 2 * pipeBuffer
		data := bytes.Repeat([]byte("0123456"), 3*room/7)
		a.SetWriteDeadline(time.Now().Add(time.Second))
		begun := time.Now()
		n, err := a.Write(data)
		if n != room || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Fatalf("wrote %d, %v after %v", n, err, time.Since(begun))
		}
		a.SetWriteDeadline(time.Time{})
		go a.Write(data[n:]) // ends when all is read
		got := make([]byte, len(data))
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, data) {
			t.Errorf("read something else than was written: %v", err)
		}
	})
}

// TestPipeDeadlines wakes readers at deadlines that pass, are set while they
// wait, and have passed already.
func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewPipe()
		defer a.Close()
		defer b.Close()
		expect := func(want time.Duration) {
			t.Helper()
			begun := time.Now()
			_, err := a.Read(make([]byte, 1))
			if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != want {
				t.Errorf("%v after %v, want %v", err, time.Since(begun), want)
			}
		}
		a.SetDeadline(time.Now().Add(time.Second))
		expect(time.Second)
		expect(0)
		a.SetReadDeadline(time.Time{})
		time.AfterFunc(2*time.Second, func() { a.SetReadDeadline(time.Unix(1, 0)) })
		expect(2 * time.Second)
		a.SetReadDeadline(time.Now().Add(time.Hour)) // and changed while it waits
		time.AfterFunc(time.Second, func() { a.SetReadDeadline(time.Now().Add(time.Second)) })
		expect(2 * time.Second)
	})
}

// TestPipeImpaired slows a direction down, and lets nothing through.
func TestPipeImpaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewPipe()
		defer a.Close()
		defer b.Close()
		Impair(a, Impairment{Rate: 10000})
		begun := time.Now()
		a.Write(make([]byte, 5000))
		io.ReadFull(b, make([]byte, 5000))
		if d := time.Since(begun); d != 500*time.Millisecond {
			t.Errorf("5,000 bytes at 10,000 a second took %v", d)
		}
		Impair(a, Impairment{Dark: true})
		if _, err := io.WriteString(a, "lost in the dark"); err != nil {
			t.Errorf("somebody has told the writer: %v", err)
		}
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d, %v", n, err)
		}
		if tr := a.(*pipeEnd).inspect(); tr.Unacked != 16 || tr.SinceAck < time.Hour {
			t.Errorf("the transport says %+v", tr)
		}
		Impair(a, Impairment{})
		b.SetReadDeadline(time.Time{})
		got := make([]byte, 16)
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "lost in the dark" {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

package serve

import (
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// A Farewell is how a server ends.
type Farewell struct {
	Close protocol.Close // what connections are closed with; no code: 1001
	Keep  bool           // they are not closed, but left to end by themselves
}

// Shutdown ends the server: nobody is let in any more, open connections are
// closed, and handlers are waited for. At the Limit what is left is cut, unless
// it is to be kept, and the Limit's error returned. If the code and reason
// cannot be sent nothing happens: connections would stay as they are.
func (s *Server[C]) Shutdown(l *link.Limit, f Farewell) error {
	f.Close.Code = link.Default(f.Close.Code, protocol.GoingAway)
	if err := f.Close.Validate(); err != nil {
		return err
	}
	s.beginClosing()
	if !f.Keep {
		s.closeAll(f.Close)
	}
	ctx, cancel := l.Bounded()
	defer cancel()
	if s.http != nil {
		s.http.Shutdown(ctx) // waits for requests; upgraded ones are not among them
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		if !f.Keep {
			s.cut()
		}
		return l.Reached()
	}
}

// ShutdownInTime is Shutdown within the close timeout, which bounds the closing
// of each connection, and a little more for the handlers to return.
func (s *Server[C]) ShutdownInTime(code protocol.CloseCode, reason string) error {
	goodbye := protocol.Close{Code: code, Reason: reason}
	return s.Shutdown(link.After(s.link.CloseTimeout+handlerGrace), Farewell{Close: goodbye})
}

// handlerGrace is how long handlers may take to notice that their connection
// has ended.
const handlerGrace = time.Second

// beginClosing stops accepting. Only the first call does anything.
func (s *Server[C]) beginClosing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	for _, listener := range s.listeners {
		listener.Close()
	}
	s.checkIdle()
}

// closeAll starts closing every connection, those included whose handshake is
// under way. Only the first call does anything.
func (s *Server[C]) closeAll(goodbye protocol.Close) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parting {
		return
	}
	s.parting, s.goodbye = true, goodbye
	for conn := range s.conns {
		s.sayGoodbye(conn)
	}
}

// sayGoodbye closes a connection, in a goroutine that ends with it.
func (s *Server[C]) sayGoodbye(conn C) {
	go s.face.Link(conn).Close(nil, s.goodbye.Code, s.goodbye.Reason)
}

// cut ends everything that is left, without closing handshakes.
func (s *Server[C]) cut() {
	if s.http != nil {
		s.http.Close()
	}
	for conn := range s.Connections() {
		s.face.Link(conn).Abort(link.ErrAborted)
	}
}

// hasBegunClosing tells a listener that failed from one that we closed.
func (s *Server[C]) hasBegunClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// checkIdle notices that nothing is left, and nothing more can come. s.mu is
// held.
func (s *Server[C]) checkIdle() {
	if !s.closing || s.requests+s.active > 0 || s.empty {
		return
	}
	s.empty = true
	close(s.idle)
	if s.http == nil {
		close(s.ended)
	}
}

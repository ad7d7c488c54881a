package serve

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// ServeHTTP performs the opening handshake and runs the handler. Under our own
// http.Server the handler has a goroutine of its own, so that nothing of
// net/http stays behind; under another's ServeHTTP returns when the handler
// does.
func (s *Server[C]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		declineBody(w, r)
		http.Error(w, "server is shutting down", http.StatusServiceUnavailable)
		return
	}
	conn, ok := s.open(w, r)
	switch {
	case !ok:
	case s.http != nil:
		go s.run(conn) // ends with the handler; leave tells Shutdown
	default:
		s.run(conn)
	}
}

// open performs the opening handshake and makes the connection. If it does not,
// because the handshake failed or a hook of the application's panicked, which
// net/http sees to, nothing will have to be waited for.
func (s *Server[C]) open(w http.ResponseWriter, r *http.Request) (conn C, ok bool) {
	defer func() {
		if !ok {
			s.leave()
		}
	}()
	up, err := s.upgrade(w, r)
	if err != nil {
		s.logger.DebugContext(r.Context(), "websocket: opening handshake failed", "remote", r.RemoteAddr, "error", err)
		return conn, false
	}
	conn = s.face.New(up)
	s.add(conn)
	return conn, true
}

// upgrade performs the opening handshake (RFC 6455, section 4.2). On an error
// it has answered.
func (s *Server[C]) upgrade(w http.ResponseWriter, r *http.Request) (up Upgraded, err error) {
	agreement, header, err := s.acceptor.Accept(r)
	if err != nil {
		refuse(w, r, err)
		return up, err
	}
	protocol.AddHeader(header, w.Header()) // what middleware has set
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err != nil {
		refuse(w, r, err)
		return up, err
	}
	conn, early, err := hijack(w)
	if err != nil {
		http.Error(w, "this server cannot upgrade connections", http.StatusInternalServerError)
		return up, err
	}
	if err := s.respond(conn, response); err != nil {
		conn.Close()
		return up, err
	}
	return Upgraded{conn, early, r, header, agreement, s.link.With(agreement.Extensions), s.opts.Hooks, s.opts.DiscardRequest}, nil
}

// hijack takes the connection from net/http, with what was read and not used.
func hijack(w http.ResponseWriter) (conn net.Conn, early []byte, err error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: %w", err)
	}
	early, err = rw.Reader.Peek(rw.Reader.Buffered())
	return conn, early, err
}

// respond writes the response, and clears the deadlines that an HTTP server
// may have set.
func (s *Server[C]) respond(conn net.Conn, response []byte) error {
	var deadline time.Time
	if timeout := link.Default(s.opts.OpenTimeout, link.DefaultOpenTimeout); timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	conn.SetDeadline(deadline)
	defer conn.SetDeadline(time.Time{})
	_, err := conn.Write(response)
	return err
}

// refuse answers a failed handshake. What is our own fault is no business of
// the client's.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, ""
	var failed *protocol.HandshakeError
	if errors.As(err, &failed) {
		maps.Copy(w.Header(), failed.Header)
		status = failed.Status
		if !failed.Local {
			text = failed.Error()
		}
	}
	if text == "" {
		text = http.StatusText(status)
	}
	declineBody(w, r)
	http.Error(w, text, status)
}

// declineBody has the connection end behind the answer when the request has a
// body. Nobody will read it, and net/http would wait for it, before it answers
// and before it closes: for ever, if the client declares one and does not send
// it. A server of somebody else's may know no deadlines, and bounds it itself.
func declineBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		http.NewResponseController(w).SetReadDeadline(time.Now())
	}
}

// run runs the handler and closes the connection behind it. What is on the
// stack below the handler is kept small; see the receiver in package link.
func (s *Server[C]) run(conn C) {
	defer s.finish(conn)
	if err := s.face.Handle(conn); err != nil {
		s.handlerFailed(conn, err)
		return
	}
	s.face.Link(conn).Close(nil, protocol.NormalClosure, "")
}

// handlerFailed closes the connection of a handler that returned an error,
// which may only tell that the connection has ended.
func (s *Server[C]) handlerFailed(conn C, err error) {
	core, code := s.face.Link(conn), protocol.NormalClosure
	if !errors.Is(err, protocol.ErrClosed) || core.State() == protocol.Open {
		core.Logger().Error("websocket: handler failed", "error", err)
		code = protocol.InternalError
	}
	core.Close(nil, code, "")
}

// finish lets go of a connection whose handler has ended. If it did not return
// but panicked, which must not take anything else down, or called
// runtime.Goexit, the connection is closed here.
func (s *Server[C]) finish(conn C) {
	core := s.face.Link(conn)
	if v := recover(); v != nil {
		core.Logger().Error("websocket: handler panicked", "panic", v, "stack", string(debug.Stack()))
	} else if core.State() == protocol.Open {
		core.Logger().Error("websocket: handler called runtime.Goexit")
	}
	core.Close(nil, protocol.InternalError, "")
	s.remove(conn)
	s.leave()
}

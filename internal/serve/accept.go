package serve

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// ServeHTTP answers a request with the opening handshake and runs the handler,
// unless a hook, the fallback or a refusal answers. Under our own http.Server
// the handler has a goroutine of its own, so that nothing of net/http stays
// behind; under another's ServeHTTP returns when the handler does.
func (s *Server[C]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.countRequest(1)
	defer s.countRequest(-1)
	s.dispatch(w, r)
}

// serveOwn is ServeHTTP under our own http.Server. That tells of a panic in a
// hook or in the fallback where it tells of all clients' mistakes; it is the
// application's, as a handler's is.
func (s *Server[C]) serveOwn(w http.ResponseWriter, r *http.Request) {
	s.countRequest(1)
	defer s.countRequest(-1)
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v != http.ErrAbortHandler {
			s.logger.ErrorContext(r.Context(), "websocket: hook panicked", "remote", r.RemoteAddr, "panic", v, "stack", string(debug.Stack()))
		}
		panic(http.ErrAbortHandler)
	}()
	s.dispatch(w, r)
}

// dispatch has a request answered for its handler.
func (s *Server[C]) dispatch(w http.ResponseWriter, r *http.Request) {
	if s.mux != nil {
		s.route(w, r)
		return
	}
	s.answer(w, r, s.face.Handle)
}

// answer is ServeHTTP for a handler; nil stands for that of no route, or of one
// that the request is to be redirected to.
func (s *Server[C]) answer(w http.ResponseWriter, r *http.Request, handle func(C) error) {
	if err := s.checkURL(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.boundBody(w, r)
	if s.opts.Fallback != nil && !protocol.IsUpgrade(r) {
		s.opts.Fallback.ServeHTTP(w, r)
		return
	}
	asked := r
	if s.opts.ProcessRequest != nil {
		var done func()
		r, done = s.process(w, r)
		defer done()
	}
	switch {
	case r == nil:
	case handle == nil:
		s.mux.ServeHTTP(w, asked) // says 404 or 405, or redirects
	default:
		s.upgrade(w, r, handle)
	}
}

// countRequest has Shutdown wait for hooks and the fallback.
func (s *Server[C]) countRequest(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests += n
	s.checkIdle()
}

// upgrade performs the opening handshake (RFC 6455, section 4.2) and has the
// connection handled, unless it is refused. What each step takes of the stack is
// free again when the next begins: else the goroutine of net/http would get a
// larger one, which costs as much as two system calls.
func (s *Server[C]) upgrade(w http.ResponseWriter, r *http.Request, handle func(C) error) {
	up := borrowUpgraded()
	if err := s.agree(w, r, up); err != nil {
		s.refuse(w, r, err)
		return
	}
	conn, ok := s.open(w, up)
	up.giveBack()
	if !ok {
		return
	}
	run := s.runner(conn, handle)
	if s.http != nil {
		go run() // ends with the handler; leave tells Shutdown
	} else {
		run()
	}
}

// open makes the connection that was agreed on. If ok is false it has answered.
func (s *Server[C]) open(w http.ResponseWriter, up *Upgraded) (conn C, ok bool) {
	from, err := s.enter(up.Request)
	if err != nil {
		w.Header().Set("Connection", "close") // it is one of too many
		s.refuse(w, up.Request, err)
		return conn, false
	}
	// A hook of the application's may panic, which net/http sees to: nothing
	// will have to be waited for then either.
	defer func() {
		if !ok {
			s.leave(from)
		}
	}()
	if !s.take(w, up) {
		return conn, false
	}
	conn = s.face.New(up)
	s.add(conn, from)
	s.logOpened(conn, up.Request)
	return conn, true
}

// agree accepts a request. The header of the response is made if anybody may want
// to see it, or has a way to add to it while we agree.
func (s *Server[C]) agree(w http.ResponseWriter, r *http.Request, up *Upgraded) (err error) {
	up.Request, up.Options, up.Hooks, up.DiscardRequest = r, s.link, s.opts.Hooks, s.opts.DiscardRequest
	up.Plain = s.http != nil && s.opts.ProcessRequest == nil && s.opts.ProcessResponse == nil && s.opts.SelectSubprotocol == nil
	if s.opts.DiscardRequest && s.opts.ProcessResponse == nil && s.opts.SelectSubprotocol == nil &&
		len(s.opts.Extensions) == 0 && len(w.Header()) == 0 {
		up.Agreement, up.answer, err = s.acceptor.AppendAccept(up.answer, r, time.Now())
	} else {
		up.Agreement, up.Header, err = s.acceptor.Accept(r)
	}
	return err
}

// take answers an acceptable request and takes the connection from net/http. If
// ok is false it has answered otherwise, or could not.
func (s *Server[C]) take(w http.ResponseWriter, up *Upgraded) (ok bool) {
	err := s.complete(w, up)
	if err == nil {
		err = hijack(w, up)
	}
	if err != nil {
		s.refuse(w, up.Request, err)
		return false
	}
	if err := s.respond(up.Conn, up.answer); err != nil {
		up.Conn.Close()
		s.logger.DebugContext(up.Request.Context(), "websocket: opening handshake not answered", "remote", up.Request.RemoteAddr, "error", err)
		return false
	}
	return true
}

// complete makes the response as it goes over the wire, with what middleware and
// the application want in it, unless it is there already.
func (s *Server[C]) complete(w http.ResponseWriter, up *Upgraded) (err error) {
	if len(up.answer) > 0 {
		return nil
	}
	protocol.AddHeader(up.Header, w.Header())
	s.processResponse(up.Request, http.StatusSwitchingProtocols, up.Header)
	up.answer, err = protocol.AppendResponse(up.answer, up.Header, time.Now())
	return err
}

// hijack takes the connection from net/http, with what was read and not used.
func hijack(w http.ResponseWriter, up *Upgraded) error {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return hijackFailed(w, err)
	}
	up.Conn = conn
	up.Early, err = rw.Reader.Peek(rw.Reader.Buffered())
	return err
}

func hijackFailed(w http.ResponseWriter, err error) error {
	return &protocol.HandshakeError{
		Local: true, Status: http.StatusInternalServerError, Section: "4.2.2", Err: err,
		Reason: fmt.Sprintf("the connection cannot be taken from a %T (middleware has to have an Unwrap method): %v", w, err),
	}
}

// respond writes the response, and clears the deadlines that an HTTP server
// may have set. One for reading would only cost a timer.
func (s *Server[C]) respond(conn net.Conn, response []byte) error {
	var deadline time.Time
	if timeout := s.openTimeout(); timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	conn.SetWriteDeadline(deadline)
	defer conn.SetDeadline(time.Time{})
	_, err := conn.Write(response)
	return err
}

// openTimeout returns the open timeout, 0 or less if there is none.
func (s *Server[C]) openTimeout() time.Duration {
	return link.Default(s.opts.OpenTimeout, link.DefaultOpenTimeout)
}

// refuse answers a failed handshake. What is our own fault is no business of
// the client's, and the log's all the more.
func (s *Server[C]) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text, level := http.StatusInternalServerError, "", slog.LevelError
	var failed *protocol.HandshakeError
	if errors.As(err, &failed) {
		maps.Copy(w.Header(), failed.Header)
		status = failed.Status
		if !failed.Local {
			text, level = failed.Error(), slog.LevelDebug
		}
	}
	s.logger.Log(r.Context(), level, "websocket: opening handshake failed", "remote", r.RemoteAddr, "error", err)
	if server := s.acceptor.Server(); server != "" && w.Header()["Server"] == nil {
		w.Header().Set("Server", server)
	}
	s.processResponse(r, status, w.Header())
	declineBody(w, r)
	http.Error(w, cmp.Or(text, http.StatusText(status)), status)
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

// boundBody bounds how long a hook, or the fallback, can be kept waiting for the
// body of a request. Requests without one may be answered for as long as one
// likes. A server of somebody else's has bounds of its own.
func (s *Server[C]) boundBody(w http.ResponseWriter, r *http.Request) {
	if timeout := s.openTimeout(); s.http != nil && r.ContentLength != 0 && timeout > 0 {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
	}
}

// process has ProcessRequest look at the request. It returns the request to go
// on with, nil if it was answered, and what is to be called when it is over.
func (s *Server[C]) process(w http.ResponseWriter, r *http.Request) (next *http.Request, done func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	inTime := func() bool { return true }
	if timeout := s.openTimeout(); timeout > 0 {
		inTime = time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) }).Stop
	}
	defer inTime() // also if it panics
	answer := &answer{ResponseWriter: w}
	next = s.opts.ProcessRequest(answer, r.WithContext(ctx))
	switch {
	case next == nil:
	case answer.begun:
		s.logger.ErrorContext(ctx, "websocket: ProcessRequest has answered and wants to go on", "remote", r.RemoteAddr)
		next = nil
	case !inTime():
		s.refuse(w, r, unavailable("ProcessRequest took longer than the open timeout"))
		next = nil
	}
	return next, func() { cancel(nil) }
}

// An answer notes that it has begun: a hook that forgets to say so has not let
// the client in.
type answer struct {
	http.ResponseWriter
	begun bool
}

// Unwrap lets an http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.begun = a.begun || status >= 200
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// FlushError is what an http.ResponseController calls. It sends the header, if
// that was not sent.
func (a *answer) FlushError() error {
	a.begun = true
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush is for those who do not know of an http.ResponseController.
func (a *answer) Flush() { a.FlushError() }

// Hijack takes the connection from net/http: whatever the client gets then, it
// is the hook's answer.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.begun = a.begun || err == nil
	return conn, rw, err
}

// processResponse has the application change the header of a response, except
// for what would break the handshake.
func (s *Server[C]) processResponse(r *http.Request, status int, header http.Header) {
	switch {
	case s.opts.ProcessResponse == nil:
	case status == http.StatusSwitchingProtocols:
		changed := header.Clone()
		s.opts.ProcessResponse(r, status, changed)
		protocol.ReplaceHeader(header, changed)
	default:
		s.opts.ProcessResponse(r, status, header)
	}
}

// runner returns a function that runs the handler and closes the connection behind
// it: not a method, for what is on the stack below the handler is kept small, the
// go statement's own function included; see the receiver in package link.
func (s *Server[C]) runner(conn C, handle func(C) error) func() {
	return func() {
		defer s.finish(conn)
		s.handled(conn, handle(conn))
	}
}

// handled closes the connection of a handler that has returned.
func (s *Server[C]) handled(conn C, err error) {
	if err != nil {
		s.handlerFailed(conn, err)
		return
	}
	s.face.Link(conn).Close(nil, protocol.NormalClosure, "")
}

// handlerFailed closes the connection of a handler that returned an error,
// which may only tell that the connection has ended: by its own error, or by that
// of the handler's context, which ends with it.
func (s *Server[C]) handlerFailed(conn C, err error) {
	core, code := s.face.Link(conn), protocol.NormalClosure
	ended := errors.Is(err, protocol.ErrClosed) || errors.Is(err, context.Canceled)
	if !ended || core.State() == protocol.Open {
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
	s.logEnded(conn)
	s.remove(conn)
}

// logOpened has the beginning of a connection in the log, for those who want to see
// what happens normally. A query may have secrets.
func (s *Server[C]) logOpened(conn C, r *http.Request) {
	if s.logger.Enabled(r.Context(), slog.LevelDebug) {
		s.face.Link(conn).Logger().Debug("websocket: connection opened", "path", r.URL.Path)
	}
}

// logEnded has the end of a connection in the log, and how it ended.
func (s *Server[C]) logEnded(conn C) {
	if s.logger.Enabled(context.Background(), slog.LevelDebug) {
		core := s.face.Link(conn)
		core.Logger().Debug("websocket: connection ended", "error", core.Err())
	}
}

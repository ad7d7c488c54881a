package dial

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// The most bytes of a server's answer that are read: its header, and the body
// of one that refuses.
const (
	maxResponseHeader = 256 << 10
	maxResponseBody   = 1 << 20
)

// handshake performs the opening handshake on conn, from which early was read
// already (RFC 6455, section 4.1). After a refusal it reports whether conn can
// carry another request.
func handshake(ctx context.Context, conn net.Conn, early []byte, req *http.Request, offer *protocol.Offer) (_ *Result, again bool, _ error) {
	defer interruptible(ctx, conn)()
	limited := &io.LimitedReader{R: io.MultiReader(bytes.NewReader(early), carrier{conn}), N: maxResponseHeader}
	br := bufio.NewReader(limited)
	resp, sent, err := ask(ctx, conn, br, req)
	switch {
	case sent != nil:
		return nil, false, fmt.Errorf("websocket: sending the opening handshake: %w", sent)
	case err != nil:
		return nil, false, responseError(err, limited)
	}
	agreement, err := offer.CheckResponse(req, resp)
	if err != nil {
		limited.N = maxResponseBody + maxResponseHeader // with what frames its chunks
		whole, err := withBody(err, resp)
		return nil, whole && !resp.Close && br.Buffered() == 0, err
	}
	early, _ = br.Peek(br.Buffered())
	return &Result{conn, early, resp, agreement}, false, nil
}

// ask sends a request and reads the answer. sent is why the request could not be
// sent, unless it was refused all the same: who does not want it may answer before
// it has read all of it, and close (RFC 9112, section 9.5).
func ask(ctx context.Context, conn net.Conn, br *bufio.Reader, req *http.Request) (resp *http.Response, sent, err error) {
	if sent = req.Write(carrier{conn}); sent == nil {
		resp, err = finalResponse(br, req)
		return resp, nil, err
	}
	if resp = lastAnswer(ctx, conn, br, req); resp == nil {
		return nil, sent, nil
	}
	return resp, nil, nil
}

// A carrier is a connection all of whose errors are of the network, as they are: one
// of the caller's may have its own. That a next attempt may do better can then be told
// from the error.
type carrier struct{ net.Conn }

func (c carrier) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, ofNetwork("read", err)
}

func (c carrier) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, ofNetwork("write", err)
}

// ofNetwork returns an error that the network has caused as one of the network.
func ofNetwork(op string, cause error) error {
	var network net.Error
	if cause == nil || cause == io.EOF || errors.As(cause, &network) {
		return cause
	}
	return &net.OpError{Op: op, Net: "tcp", Err: cause}
}

// maxLastAnswer is how long an answer is waited for that should be here already.
const maxLastAnswer = time.Second

// lastAnswer returns the refusal on a connection that takes nothing any more, nil
// if there is none.
func lastAnswer(ctx context.Context, conn net.Conn, br *bufio.Reader, req *http.Request) *http.Response {
	soon, cancel := context.WithTimeout(ctx, maxLastAnswer)
	defer cancel()
	done := interruptible(soon, conn)
	resp, err := finalResponse(br, req)
	// The context may have set the deadline that this clears; then it has ended.
	if done(); err != nil || ctx.Err() != nil || resp.StatusCode == http.StatusSwitchingProtocols || opensTunnel(resp) {
		return nil
	}
	resp.Close = true // whatever it says: no other request can be sent
	return resp
}

// finalResponse passes over interim responses, for example 103 Early Hints,
// which a client has to expect although it asked for none (RFC 9110, section
// 15.2). How many come is bounded by the size of them all.
func finalResponse(br *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(br, req)
		if err != nil || resp.StatusCode < 100 || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}

// interruptible has the I/O on conn end with the context, until the function
// that it returns is called: then the connection knows no deadline any more. One
// that never did, as a channel of SSH, is closed, below TLS, which would wait to say
// something more.
func interruptible(ctx context.Context, conn net.Conn) (done func()) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if conn.SetDeadline(time.Unix(1, 0)) != nil {
			link.Lowest(conn).Close()
		}
		close(fired)
	})
	return func() {
		if !stop() {
			<-fired // so that the deadline is not set after it was cleared
		}
		conn.SetDeadline(time.Time{})
	}
}

// responseError says what is wrong with an answer that could not be read.
func responseError(err error, limited *io.LimitedReader) error {
	switch {
	case limited.N <= 0:
		err = fmt.Errorf("header of more than %d bytes", maxResponseHeader)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the server closed the connection: %w", err)
	}
	return &protocol.HandshakeError{Reason: "no valid HTTP response: " + err.Error(), Section: "4.1", Err: err}
}

// withBody adds to the error of a refusal the body that came with it, and
// reports whether that was all of it.
func withBody(err error, resp *http.Response) (whole bool, _ error) {
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		refused.Body, whole = readBody(resp)
	}
	return whole, err
}

// readBody returns the beginning of the body of a response, whole unless there
// is more or the end did not come, and leaves it in the response to be read
// again.
func readBody(resp *http.Response) (body []byte, whole bool) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponseBody+1))
	whole = err == nil && len(body) <= maxResponseBody
	body = body[:min(len(body), maxResponseBody)]
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return body, whole
}

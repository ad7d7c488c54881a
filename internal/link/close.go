package link

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// Close performs the closing handshake (RFC 6455, section 7.1.2) and returns
// when the transport is closed: nil if close frames went both ways, whoever
// began, else how the connection ended. It lasts no longer than the close
// timeout; at the Limit the connection is cut. Further calls wait likewise.
func (c *Conn) Close(l *Limit, code protocol.CloseCode, reason string) error {
	if over, err := c.closeResult(); over {
		return err
	}
	c.lock()
	err := c.sendClose(l, code, reason)
	c.unlock()
	if err != nil {
		return err
	}
	if err := l.wait(c.Done()); err != nil {
		c.Abort(fmt.Errorf("%w: %w", ErrAborted, err))
		<-c.Done()
	}
	_, err = c.closeResult()
	return err
}

// Abort cuts the connection without a closing handshake. cause is found in
// the error that later calls return.
func (c *Conn) Abort(cause error) {
	c.lock()
	defer c.unlock()
	c.abort(cause)
}

// closeResult is what Close returns of a connection that has ended.
func (c *Conn) closeResult() (over bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over() {
		return false, nil
	}
	if how := &c.rare.remains.how; how.Rcvd == nil || how.Sent == nil {
		err = how
	}
	return true, err
}

// sendClose sends our close frame, unless the connection is ending already,
// and behind the messages whose Send was called before.
func (c *Conn) sendClose(l *Limit, code protocol.CloseCode, reason string) error {
	if c.closing != notClosing {
		return nil
	}
	if err := (protocol.Close{Code: code, Reason: reason}).Validate(); err != nil {
		return err
	}
	if c.deferred {
		c.failViolation()
		return nil
	}
	if c.writer != nil {
		// A message can be abandoned only by failing the connection.
		c.fail(protocol.InternalError, "close during a fragmented message", nil)
		return nil
	}
	by := time.Now().Add(c.opts.CloseTimeout) // also for what comes behind the wait
	if err := c.message.acquire(c, l.within(c.opts.CloseTimeout)); err != nil {
		if l.Reached() == nil { // else Close is about to cut the connection
			c.abort(fmt.Errorf("%w: %w", ErrCloseTimeout, err))
		}
		return nil
	}
	defer c.message.release()
	if err := c.proto.SendClose(code, reason); err != nil {
		return err
	}
	c.startClosingBy(by)
	return nil
}

// closeReceived: the peer's close frame has come, and its echo is owed.
func (c *Conn) closeReceived() {
	c.recvErr = c.proto.CloseError()
	c.startClosing()
}

// violated: the peer broke the protocol. The messages that came before can
// still be read and answered, within the close timeout.
func (c *Conn) violated() {
	if c.queue.empty() || c.proto.CloseSent() != nil {
		c.failViolation()
		return
	}
	c.deferred = true
	c.deferral.start(c, c.opts.CloseTimeout, (*Conn).failViolation)
}

func (c *Conn) failViolation() {
	c.deferred = false
	c.proto.FailViolation()
	c.failed()
}

// fail fails the connection (RFC 6455, section 7.1.7): with a close frame, and
// without waiting for the peer's. What was read before can still be received; if the
// peer's close frame was in it, that is how the connection ends.
func (c *Conn) fail(code protocol.CloseCode, reason string, cause error) {
	if c.keepRead(); c.recvErr == nil {
		c.failNow(code, reason, cause)
	}
}

// failNow is fail for who is looking at what was read, or has no time to: nothing comes
// of the rest.
func (c *Conn) failNow(code protocol.CloseCode, reason string, cause error) {
	c.proto.Fail(code, reason, cause)
	c.failed()
}

// failed has receivers return, and the transport closed.
func (c *Conn) failed() {
	if c.recvErr == nil {
		c.recvErr = c.proto.CloseError()
	}
	c.pokeReader()
	c.waiters.wakeAll()
	c.startClosing()
}

// disconnected: the transport has ended, with io.EOF or an error.
func (c *Conn) disconnected(cause error) {
	if c.writeErr != nil && !(cause == io.EOF && isBrokenPipe(c.writeErr)) {
		cause = c.writeErr // it came first
	}
	c.proto.Disconnected(cause)
	c.failed()
}

// isBrokenPipe reports whether err, that of a write, says no more than that the
// transport has ended before: the end that is read is the news.
func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// lost: reading has told that the transport has ended. If that was the
// application's receiver and nothing is left to write, a closer would have
// nothing to wait for, so the receiver does what it would do.
func (c *Conn) lost(cause error) {
	if c.reader == application && c.closing == notClosing && !c.pending() && !c.write.held && c.tr().closesAtOnce() {
		c.closing = closingDue
	}
	c.reader = nobody // whom there is nothing to interrupt at
	c.disconnected(cause)
}

// endAtOnce ends a connection whose transport has ended.
func (c *Conn) endAtOnce() {
	c.aborted = true
	c.pokeWriter()
	c.unlock()
	c.tr().close(true)
	c.lock()
	c.end()
}

// abort has the transport cut at once, whatever is under way. What was read before
// can still be received.
func (c *Conn) abort(cause error) {
	c.keepRead()
	c.aborted = true
	c.proto.Disconnected(cause)
	c.failed()
	c.pokeWriter()
}

// startClosing starts the closer, once, with all of the close timeout.
func (c *Conn) startClosing() { c.startClosingBy(time.Now().Add(c.opts.CloseTimeout)) }

func (c *Conn) startClosingBy(deadline time.Time) {
	if c.closing != notClosing {
		return
	}
	c.closing = closingBegun
	go c.close(&Limit{Deadline: deadline})
}

// close ends the connection: what is held and owed leaves, the close frame
// last; the peer's close frame is awaited; the transport is closed. It is the
// closer's goroutine, which the connection always ends with.
func (c *Conn) close(l *Limit) {
	c.lock()
	defer c.unlock()
	c.writeLast(l)
	c.awaitClose(l)
	c.endTransport(l)
	c.end()
}

// writeLast writes what is pending and owed.
func (c *Conn) writeLast(l *Limit) {
	if c.aborted || c.writeErr != nil {
		c.flush()
		return
	}
	err := c.write.acquire(c, l)
	if err == nil {
		if err = c.appendOwed(); err == nil {
			err = c.transmit(l)
		}
		c.releaseWrite()
	}
	if err != nil && c.writeErr == nil {
		c.abort(fmt.Errorf("%w: %w", ErrCloseTimeout, err))
	}
}

// awaitClose reads until the peer's close frame.
func (c *Conn) awaitClose(l *Limit) {
	err := c.await(l, func() bool { return c.aborted })
	if err != nil {
		c.disconnected(ErrCloseTimeout)
	}
}

// endTransport closes the transport so that no reset destroys what we sent
// last: a server ends its own direction and discards what still comes; a
// client waits for the server to end (RFC 6455, section 7.1.1).
func (c *Conn) endTransport(l *Limit) {
	if !c.aborted && (c.opts.Role == protocol.Client || c.halfClose(l)) {
		c.drain(l)
	}
	cut := c.aborted || l.Reached() != nil
	c.aborted = true // nobody waits for it any more
	c.pokeWriter()
	c.unlock()
	c.tr().close(cut)
	c.lock()
}

func (c *Conn) halfClose(l *Limit) (ok bool) {
	if c.writeErr != nil {
		return false
	}
	c.unlock()
	defer c.lock()
	c.tr().setWriteDeadline(l.Deadline) // TLS has something to say first
	return c.tr().closeWrite()
}

// drainLimit is how many bytes at most are read and discarded.
const drainLimit = 16 << 20

// drain reads and discards until the peer ends, for a bounded time and size.
func (c *Conn) drain(l *Limit) {
	for c.reader != nobody {
		c.pokeReader()
		if c.waitChange(l) != nil {
			return
		}
	}
	c.reader = background
	c.keepStreamed()
	for total := 0; total < drainLimit && !c.aborted && l.Reached() == nil; total += int(c.in.n) {
		if !c.discard(l) {
			break
		}
	}
	c.reader = nobody
}

// discard reads once, and reports whether the transport goes on.
func (c *Conn) discard(l *Limit) (more bool) {
	c.poked = false
	c.tr().setReadDeadline(l.Deadline)
	c.in.n = 0
	c.unlock()
	c.in.borrow()
	err := c.tr().read(&c.in)
	c.lock()
	return err == nil || err == errNoBlock || isTimeout(err)
}

// end lets go of everything and tells everybody. It takes little of the stack,
// for the runner may need much to tell a context.
func (c *Conn) end() {
	c.letGo()
	if r := c.keeper.runner; r != nil {
		c.unlock()
		r.Ended(&c.rare.remains.how)
		c.lock()
	}
	c.closing = closed
	if c.rare.ended != nil {
		close(c.rare.ended)
	}
}

// letGo lets go of everything but how the connection has ended. The transport is
// closed, so that who still reads or writes will not be long.
func (c *Conn) letGo() {
	c.proto.Disconnected(nil)
	for c.reader != nobody {
		c.waitChange(nil)
	}
	c.write.acquire(c, nil)
	c.pend.release()
	c.write.release()
	c.keepStreamed()
	c.in.giveBack()
	c.abandonWriter()
	c.stopTimers()
	r := c.remember()
	r.how = *c.proto.CloseError()
	if c.recvErr == nil {
		c.recvErr = &r.how
	}
	r.recvErr, r.writeErr = c.recvErr, c.writeErr
	c.pongs = nil
	c.waiters.wakeAll()
	c.opts.Counters.close(&r.how)
}

func (c *Conn) stopTimers() {
	c.opts.Clock.grace.stop(c)
	c.mood &^= inGrace
	c.opts.Clock.hold.stop(c)
	c.deferral.stop()
	c.hear()
	c.unwatch()
	c.stopKeepalive()
}

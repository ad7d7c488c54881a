package link

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tandemws/tandem/protocol"
)

// Send sends a message. It returns when the message is written, or accepted to
// be written with its siblings within Options.Hold. At the limit it returns
// and has sent nothing, or, when a part was written, fails the connection with
// ErrPartialWrite. The data are the caller's again when it returns.
func (c *Conn) Send(l *Limit, m protocol.Message) error {
	return c.SendWith(l, m, protocol.CompressAuto)
}

// SendWith is Send with a choice whether the message is compressed.
func (c *Conn) SendWith(l *Limit, m protocol.Message, wanted protocol.Compression) error {
	if m.Type == protocol.Text && !utf8.Valid(m.Data) {
		return protocol.ErrInvalidText
	}
	var err error
	c.mu.Lock()
	c.sitIfAway()
	if c.isCalm() && c.sendsCalmly(l, m, wanted) {
		if c.holdsCalmly(len(m.Data)) {
			c.startBackstop() // here, where the stack is not yet deep
			c.holdCalmly(m)
			return nil
		}
		err = c.writeCalmly(l, m.Type, c.encodeCalmly(m))
		c.unlock()
		return err
	}
	c.stir()
	switch done, write := c.encodeQuickly(l, m, wanted); {
	case write:
		err = c.writeQuickly(l, m.Type)
	case done:
		c.startBackstop() // here, where the stack is not yet deep
	default:
		if done, err = c.beginSend(l, m, wanted); !done && err == nil {
			err = c.sendMessage(m.Type, m.Data)
			c.endSend()
		}
	}
	c.unlock()
	return err
}

// endSend lets go of the message, the caller's again, and of the token.
func (c *Conn) endSend() {
	c.proto.FrameSent()
	c.send = sender{}
	c.message.release()
}

// sendMessage sends a message within c.send.limit. The message token is held.
func (c *Conn) sendMessage(typ protocol.MessageType, data []byte) error {
	f := &c.send.frame
	f.typ, f.data = typ, data
	if len(data) > c.maxFragment() {
		return c.sendFragmented()
	}
	f.fin, f.hold = true, c.proto.Buffered()
	return c.sendFrame()
}

// Flush returns when everything that was accepted is written. At the limit it
// returns, and the write goes on.
func (c *Conn) Flush(l *Limit) error {
	c.lock()
	defer c.unlock()
	if err := l.Reached(); err != nil {
		return c.left(err)
	}
	if !c.pending() && !c.write.held {
		return c.sendable()
	}
	l = l.within(c.opts.WriteTimeout)
	if err := c.write.acquire(c, l); err != nil {
		return c.left(err)
	}
	if err := c.sendable(); err != nil {
		c.releaseWrite()
		return err
	}
	if !c.handOver() {
		return c.outcome()
	}
	if err := c.write.acquire(c, l); err != nil {
		return c.left(err)
	}
	c.releaseWrite()
	return c.outcome()
}

// sender is what the call that holds the message token is sending. It is kept
// here and not in parameters for the sake of small stacks; see receiver.
type sender struct {
	limit Limit
	frame frame
	rest  []byte // of a message in fragments, behind the frame
	own   span   // where the frame stands in what is pending
	err   error  // of transforming its payload
}

// beginSend takes the message token. A message that cannot be cancelled may be
// sent by whoever holds the token meanwhile.
func (c *Conn) beginSend(l *Limit, m protocol.Message, wanted protocol.Compression) (served bool, err error) {
	if err := l.Reached(); err != nil {
		return false, c.left(err)
	}
	if c.message.held {
		served, err = c.message.await(c, l, combinable(l, m, wanted))
	} else {
		c.message.held = true
	}
	switch {
	case served:
		return true, err
	case err != nil:
		return false, c.left(err)
	}
	if err := c.sendable(); err != nil {
		c.message.release()
		return false, err
	}
	if l != nil {
		c.send.limit = *l
	}
	c.proto.Compress(wanted)
	return false, nil
}

// combinable returns m if whoever holds the message token may send it along: a
// small message, of a call that cannot be cancelled and wants nothing special.
func combinable(l *Limit, m protocol.Message, wanted protocol.Compression) *protocol.Message {
	if m.Type == 0 || wanted != protocol.CompressAuto || len(m.Data) > copyLimit || !l.never() {
		return nil
	}
	return &m
}

// sendable reports why no data can be sent any more.
func (c *Conn) sendable() error {
	switch {
	case c.writeErr != nil:
		closed := c.proto.CloseError()
		if closed.Err == nil {
			closed.Err = c.writeErr
		}
		return closed
	case c.proto.State() != protocol.Open:
		return c.proto.CloseError()
	}
	return nil
}

// left returns the error of a call that leaves at its Limit with err: that the
// connection has ended, if it has. The Limit's context may be derived from the
// connection's own and say no more than that.
func (c *Conn) left(err error) error {
	if ended := c.sendable(); ended != nil {
		return ended
	}
	return err
}

// frame is a data frame that is to be sent.
type frame struct {
	typ   protocol.MessageType
	fin   bool
	bound bool // frames of the same call went before it: it cannot be taken back
	hold  bool // it may wait for others
	large bool // its payload is masked piece by piece: see writeMasked
	data  []byte
}

// The limits in bytes of what is copied to be written together with other
// frames, of what is held, and of what is copied although the transport would
// take it from where it lies, for that costs a system call more than it saves.
const (
	copyLimit   = 16 << 10
	holdLimit   = blockSize - copyLimit - 1<<10
	gatherLimit = 4 << 10
)

// sendFrame sends c.send.frame or holds it. The message token is held.
func (c *Conn) sendFrame() (err error) {
	c.pend.buf = c.pend.borrow() // here, where the stack is not yet deep
	f := &c.send.frame
	if f.hold && c.mayHold(len(f.data)) {
		return c.holdFrame()
	}
	if c.write.held {
		err = c.awaitWrite()
	}
	c.write.held = err == nil || c.write.held
	if err == nil {
		var along *claim
		if along, err = c.encodeFrame(); err == nil {
			err = c.writeFrame(along)
		}
		c.releaseWrite()
	}
	return err
}

// holdFrame encodes c.send.frame for somebody to write.
func (c *Conn) holdFrame() error {
	c.startBackstop()
	if err := c.transform(); err != nil {
		return err
	}
	return c.encode()
}

// transform has the extensions encode the payload, when its place behind all
// other messages is certain: the next one may refer to it. What they have made
// of it stays where it is until the next frame.
func (c *Conn) transform() (err error) {
	if c.extensions == nil {
		return nil
	}
	if !c.apart((*Conn).encodePayload) {
		return errExtension
	}
	return c.send.err
}

func (c *Conn) encodePayload() {
	f := &c.send.frame
	data, err := c.proto.EncodePayload(f.typ, f.fin, f.data)
	if err == nil {
		f.data = data
	}
	c.send.err = err
}

// mayHold reports whether a frame of n bytes may wait to be written.
func (c *Conn) mayHold(n int) bool {
	return c.opts.Hold >= 0 && len(c.pend.buf)+n <= holdLimit && c.sendable() == nil
}

// encodeFrame makes c.send.frame pending and, if it is small, what others want to
// send, whose claims it returns. The write token is held.
func (c *Conn) encodeFrame() (along *claim, err error) {
	f := &c.send.frame
	if err := c.sendable(); err != nil {
		return nil, err
	}
	if err := c.transform(); err != nil {
		return nil, c.notEncoded(err)
	}
	f.large = false
	switch {
	case c.together(len(f.data)):
		along, err = c.encodeTogether()
	case c.opts.Role == protocol.Client:
		f.large = true
		err = c.encodeHeader()
	default:
		err = c.encodeInPlace()
	}
	if err != nil {
		err = c.notEncoded(err)
	}
	return along, err
}

// writeFrame writes what encodeFrame has made pending, and tells who waits with
// these claims. The write token is held.
func (c *Conn) writeFrame(along *claim) error {
	if c.send.frame.large {
		return c.writeMasked()
	}
	from, done, err := c.transmitNow() // and not transmit: the stack is small
	c.settleAhead()
	if !done {
		err = c.transmitWaiting(&c.send.limit, from, err)
	}
	if along != nil {
		c.tellServed(along)
	}
	if err != nil {
		err = c.unsent(err)
	}
	return err
}

// together reports whether a frame with n bytes is copied to be written together with
// others, now that nobody waits for them.
func (c *Conn) together(n int) bool {
	return n <= copyLimit && (c.message.first != nil || !c.gathers(n))
}

// gathers reports that a payload of n bytes is written from where it lies, which no
// client does, for it masks it.
func (c *Conn) gathers(n int) bool {
	return n > gatherLimit && c.opts.Role == protocol.Server && c.tr().gathers()
}

// encodeTogether appends a small frame and what others want to send. Nothing
// goes along with the end of a message in fragments: that frame may be taken
// back, and what follows it would then stand inside the message.
func (c *Conn) encodeTogether() (along *claim, err error) {
	err = c.encode()
	if err == nil && c.send.own.header.Opcode != protocol.OpContinuation && !c.refersBack() {
		c.proto.Compress(protocol.CompressAuto)
		along = c.encodeWaiting()
	}
	return along, err
}

// refersBack reports whether what is encoded behind the frame may refer to it
// although it may be taken back.
func (c *Conn) refersBack() bool {
	return c.extensions != nil && (!c.send.limit.never() || c.opts.WriteTimeout > 0)
}

// notEncoded returns what err, that of encoding a frame, means: nothing of the
// frame is pending.
func (c *Conn) notEncoded(err error) error {
	if c.writeErr != nil {
		return c.sendable()
	}
	return c.takeBack(err)
}

// encodeInPlace makes a large frame pending, with its payload where it lies.
func (c *Conn) encodeInPlace() error {
	err := c.encodeHeader()
	if err == nil {
		c.pend.body = c.send.frame.data
		c.send.own.end += len(c.pend.body)
		c.encodeAhead()
	}
	return err
}

// writeMasked writes a large frame of a client's, whose header is pending, masked
// into blocks: the payload is the caller's and must not change.
func (c *Conn) writeMasked() error {
	f, own := &c.send.frame, &c.send.own
	for at := 0; at < len(f.data); {
		buf := c.pend.borrow()
		n := min(max(blockSize-len(buf), copyLimit), len(f.data)-at)
		c.pend.buf = appendMasked(buf, f.data[at:at+n], own.header, at)
		own.end = len(c.pend.buf)
		if err := c.transmit(&c.send.limit); err != nil {
			if err = c.unsent(err); err != nil {
				return err
			}
		}
		at += n
		f.bound, own.begin = true, 0
	}
	return nil
}

// span is where a frame stands in what is pending.
type span struct {
	header     protocol.Header
	begin, end int
}

// encodeHeader appends the header of c.send.frame to what is pending, behind
// the control frames that are owed: a pong is not to wait behind later data.
func (c *Conn) encodeHeader() (err error) {
	if err = c.appendOwed(); err != nil {
		return err
	}
	f, own := &c.send.frame, &c.send.own
	own.header, err = c.proto.BeginFrame(f.typ, f.fin, len(f.data))
	if err == nil {
		buf := c.pend.borrow()
		own.begin = len(buf)
		c.pend.buf = protocol.AppendHeader(buf, own.header)
		own.end = len(c.pend.buf)
	}
	return err
}

// encode appends all of c.send.frame.
func (c *Conn) encode() error {
	err := c.encodeHeader()
	if err == nil {
		c.encodeData()
	}
	return err
}

func (c *Conn) encodeData() {
	c.pend.buf = appendMasked(c.pend.buf, c.send.frame.data, c.send.own.header, 0)
	c.send.own.end = len(c.pend.buf)
}

// appendMasked appends the piece of a payload that begins at offset.
func appendMasked(buf, piece []byte, h protocol.Header, offset int) []byte {
	if h.Masked {
		return protocol.AppendMasked(buf, piece, h.Mask, offset)
	}
	return append(buf, piece...)
}

// encodeWaiting appends the messages of those who wait for the message token
// in a way that allows it, and returns their claims.
func (c *Conn) encodeWaiting() (along *claim) {
	last := &along
	for {
		cl := c.message.first
		if cl == nil || cl.message == nil || len(c.pend.buf)+len(cl.message.Data) > holdLimit {
			return along
		}
		buf, err := c.proto.AppendMessage(c.pend.borrow(), cl.message.Type, cl.message.Data)
		if err != nil {
			return along // its own call will get the error
		}
		c.pend.buf = buf
		c.message.pop()
		cl.served, cl.next = true, nil
		*last, last = cl, &cl.next
	}
}

// tellServed tells who waits with these claims that their messages were sent
// along. If the holder was cancelled they may be pending yet; a flusher will
// write them.
func (c *Conn) tellServed(along *claim) {
	for ; along != nil; along = along.next {
		along.err = c.outcome()
		along.wake()
	}
}

// outcome is the error of a message that was handed to transmit.
func (c *Conn) outcome() error {
	if c.writeErr != nil {
		return c.sendable()
	}
	return nil
}

// unsent makes of err, that of a transmit, what it means for the frame that is
// being sent. One of which nothing was written is taken out of what is left.
func (c *Conn) unsent(err error) error {
	own, written := &c.send.own, int(c.out.sent.Load())
	switch {
	case written >= own.end:
		return nil
	case c.writeErr != nil:
		return c.sendable()
	case written > own.begin:
		return c.cutShort(err)
	}
	left := c.pend.buf
	c.pend.buf = append(left[:own.begin-written], left[min(own.end-written, len(left)):]...)
	c.proto.UndoFrame(own.header)
	return c.takeBack(err)
}

// awaitWrite waits for the write token and takes it.
func (c *Conn) awaitWrite() error {
	limit := c.send.limit // which is cleared if the connection ends meanwhile
	_, err := c.write.await(c, &limit, nil)
	if err != nil {
		return c.takeBack(err)
	}
	return nil
}

// takeBack returns err, that of the Limit, for a frame of which nothing was
// sent; unless its message was begun by the same call, for then it is fatal.
func (c *Conn) takeBack(err error) error {
	if c.send.frame.bound {
		return c.cutShort(err)
	}
	return c.left(err)
}

// cutShort ends a connection on which a message cannot be finished.
func (c *Conn) cutShort(err error) error {
	c.pend.release() // it may begin in the middle of a frame
	partial := fmt.Errorf("%w: %w", ErrPartialWrite, err)
	c.abort(partial)
	return c.endedBy(partial)
}

// endedBy returns how a connection has ended for who has ended it, by what became of a
// message. If the peer had closed it before, that is not the cause; who has sent the
// message is told all the same.
func (c *Conn) endedBy(partial error) error {
	if errors.Is(c.recvErr, ErrPartialWrite) {
		return c.recvErr
	}
	return fmt.Errorf("%w; %w", c.recvErr, partial)
}

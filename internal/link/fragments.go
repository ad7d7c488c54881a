package link

import "github.com/tandemws/tandem/protocol"

// sendFragmented sends c.send.frame, a large message, in fragments, so that control
// frames go in between: the write token is let go of after each, or after as many
// as the transport takes at once. The message token is held.
func (c *Conn) sendFragmented() error {
	f := &c.send.frame
	for c.send.rest = f.data; !f.fin; f.bound = true {
		c.nextFragment()
		if err := c.sendFrame(); err != nil {
			return err
		}
	}
	return nil
}

// nextFragment makes the frame the next piece of the message.
func (c *Conn) nextFragment() {
	f, rest := &c.send.frame, c.send.rest
	n := min(len(rest), c.maxFragment())
	f.fin, f.data, c.send.rest = n == len(rest), rest[:n], rest[n:]
}

func (c *Conn) maxFragment() int {
	if c.opts.MaxFragmentSize <= 0 {
		return int(^uint(0) >> 1)
	}
	return c.opts.MaxFragmentSize
}

// A fragment stands behind the frame that is being sent. What the system takes
// at once waits in its buffer in any case, where no control frame gets in
// between any more, and a system call less for each fragment is a good part of
// what a large message costs.
type fragment struct {
	header  protocol.Header
	encoded [protocol.MaxHeaderSize]byte
	size    int // of the encoded header
	payload []byte
}

// maxAhead is how many fragments at most are ahead of the frame.
const maxAhead = 7

// encodeAhead lets the transport go on with the fragments that follow, as far
// as it needs no waiting for that. The write token is held.
func (c *Conn) encodeAhead() {
	if len(c.agreed()) > 0 || !c.tr().gathers() {
		return // in the first case they are not encoded yet
	}
	for rest := c.send.rest; len(rest) > 0 && len(c.out.ahead) < maxAhead; {
		n := min(len(rest), c.maxFragment())
		h, err := c.proto.BeginFrame(c.send.frame.typ, n == len(rest), n)
		if err != nil {
			return // the fragment will get it when its turn comes
		}
		c.out.ahead = append(c.out.ahead, fragment{header: h, payload: rest[:n]})
		last := &c.out.ahead[len(c.out.ahead)-1]
		last.size = len(protocol.AppendHeader(last.encoded[:0], h))
		rest = rest[n:]
	}
}

// settleAhead makes the last fragment that the transport has begun c.send.frame,
// as if those before it had been sent one by one, and takes back the others.
func (c *Conn) settleAhead() {
	if len(c.out.ahead) == 0 {
		return
	}
	begun, left := c.out.ahead[:c.out.begun], c.out.ahead[c.out.begun:]
	for i := range begun {
		c.nextFragment()
		c.send.own.follow(&begun[i])
	}
	if len(left) > 0 {
		c.proto.UndoFrame(left[0].header) // and so all that follow
	}
	for i := range c.out.ahead {
		c.out.ahead[i].payload = nil // and not the header: out.head may be the rest of it
	}
	c.out.ahead, c.out.begun = c.out.ahead[:0], 0
}

// follow moves the span on to the fragment behind it.
func (s *span) follow(f *fragment) {
	s.header = f.header
	s.begin, s.end = s.end, s.end+f.len()
}

// leads reports whether the beginning of a large message is to be written on its
// own: a peer on this machine is woken by it, and takes the rest while we copy it.
// That saves up to a third of all that a message of 1 MiB costs when a processor
// is free, and costs a few per cent when none is.
func (out *output) leads() bool {
	return len(out.ahead) > 0 && len(out.body) > lead && out.sent.Load() == 0
}

// lead is how many bytes of the payload that is.
const lead = 32 << 10

func (f *fragment) head() []byte { return f.encoded[:f.size:f.size] }
func (f *fragment) len() int     { return f.size + len(f.payload) }

// next begins with the next fragment that is ahead, if there is one.
func (out *output) next() (ok bool) {
	if ok = out.begun < len(out.ahead); ok {
		f := &out.ahead[out.begun]
		out.head, out.body = f.head(), f.payload
		out.begun++
	}
	return ok
}

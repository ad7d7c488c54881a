package link

import "github.com/tandemws/tandem/protocol"

// A token is a lock that can be waited for with a [Limit]. It is guarded by
// Conn.mu, and handed over in the order of arrival.
type token struct {
	held        bool
	first, last *claim
}

// A claim waits for a token.
type claim struct {
	next    *claim
	ready   chan struct{} // holds one value
	granted bool          // the token is ours

	message *protocol.Message // the holder may send it along with its own, or nil
	served  bool              // it did, and err is the outcome
	err     error
}

func (cl *claim) wake() { cl.ready <- struct{}{} }

// acquire takes the token. c.mu is held, and let go of while waiting.
func (t *token) acquire(c *Conn, l *Limit) (err error) {
	if t.held {
		_, err = t.await(c, l, nil)
		return err
	}
	t.held = true
	return nil
}

// await waits for the token and takes it. If the holder has sent message along
// with its own meanwhile, there is nothing left to do: served is true, the
// token is not taken, and err is the outcome.
func (t *token) await(c *Conn, l *Limit, message *protocol.Message) (served bool, err error) {
	cl := &claim{ready: make(chan struct{}, 1), message: message}
	t.push(cl)
	c.unlock()
	err = l.wait(cl.ready)
	c.lock()
	switch {
	case cl.served:
		return true, cl.err
	case err == nil:
	case cl.granted: // at the moment of giving up
		t.release()
		c.leavePending() // who let go of it has left that to us
	default:
		t.drop(cl)
	}
	return false, err
}

// release hands the token to the next claim.
func (t *token) release() {
	cl := t.first
	if cl == nil {
		t.held = false
		return
	}
	t.pop()
	cl.granted = true
	cl.wake()
}

func (t *token) push(cl *claim) {
	if t.last == nil {
		t.first = cl
	} else {
		t.last.next = cl
	}
	t.last = cl
}

func (t *token) pop() {
	t.first = t.first.next
	if t.first == nil {
		t.last = nil
	}
}

// drop removes a claim that has given up.
func (t *token) drop(cl *claim) {
	var before *claim
	for at := t.first; at != nil; before, at = at, at.next {
		if at != cl {
			continue
		}
		if before == nil {
			t.pop()
			return
		}
		before.next = cl.next
		if t.last == cl {
			t.last = before
		}
		return
	}
}

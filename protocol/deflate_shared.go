package protocol

import (
	"bytes"
	"fmt"
)

// What servers send to many connections is compressed for all of them at once,
// with context takeover too: connections that have been sent the same share one
// history, which is never changed. The next message refers to it and leads all
// of them to the next history. A connection that was sent something of its own
// in between has a history of its own, and gets the form that refers to nothing.
// With the second message of this kind in a row it forgets its own history and
// joins those whose history begins there: a sender need not remember all that
// it may (RFC 7692, section 7.2.1, demands no references).

// sharing is what connections have in common for which a message is the same
// when it is compressed.
type sharing struct {
	bits      int // 0: nothing is compressed
	level     int
	threshold int
	takeover  bool
	before    *history // shared; nil: refer to nothing
}

// sharing returns that of the next message.
func (d *deflate) sharing() sharing {
	s := sharing{bits: int(d.out.bits), level: d.settings.Level, threshold: d.settings.Threshold, takeover: d.out.takeover}
	if d.sent != nil && d.sent.shared {
		s.before = d.sent
	}
	return s
}

// encodeShared compresses a message for all connections of the same sharing.
// nil stands for one that is better sent as it is.
func (d *deflate) encodeShared(s sharing, payload []byte, wanted Compression) ([]byte, error) {
	if !d.worthwhile(len(payload), Fragment{First: true, Last: true, Compression: wanted}) {
		return nil, nil
	}
	encoded, err := d.compress(nil, s.before.bytes(), payload)
	if err != nil {
		return nil, fmt.Errorf("websocket: compressing: %w", err)
	}
	encoded = encoded[:len(encoded)-len(flushTail)] // RFC 7692, section 7.2.1
	if wanted == CompressAuto && len(encoded) >= len(payload) {
		return nil, nil
	}
	return bytes.Clone(encoded), nil // without what compressing took beyond it
}

// following returns the history that a message leads to from another one, nil
// without context takeover.
func (d *deflate) following(s sharing, payload []byte) *history {
	if !s.takeover {
		return nil
	}
	next := &history{shared: true}
	next.set(s.before.bytes(), payload, d.out.window())
	return next
}

// rememberShared makes payload the end of the history, as remember does: next
// is the shared history that the message leads to.
func (d *deflate) rememberShared(payload []byte, next *history) {
	d.before, d.undoable = d.sent, true
	if d.sent == nil || d.sent.shared || d.sent.joining {
		d.sent = next
		return
	}
	d.sent = d.newHistory(d.out.bits)
	d.sent.set(d.before.bytes(), payload, d.out.window())
	d.sent.joining = true
}

package protocol

import (
	"bytes"
	"unicode/utf8"
)

// A Prepared is a message that is sent on many connections of servers and
// encoded as seldom as possible: once as it is, and compressed once for those
// that agreed on the same and have been sent the same prepared messages before.
// It is not safe for concurrent use; what [Conn.BeginPrepared] returns may be
// read concurrently.
type Prepared struct {
	message Message
	whole   []byte // the message as it is in one frame; the message's data lie in it
	wanted  Compression
	forms   []*preparedForm
}

// A preparedForm is what those connections send that have its key.
type preparedForm struct {
	key        formKey
	frames     [][]byte
	compressed bool
	next       *history // with context takeover, what the message leads to
}

type formKey struct {
	sharing
	maxFragment int
}

// maxForms bounds the forms of a message. Beyond it connections get the form
// that refers to nothing before, whatever they have been sent.
const maxForms = 32

// Prepare returns a message, of which it holds a copy, to be sent on many
// connections. The error is [ErrInvalidText] or [ErrMessageType].
func Prepare(m Message, wanted Compression) (*Prepared, error) {
	switch {
	case m.Type != Text && m.Type != Binary:
		return nil, ErrMessageType
	case m.Type == Text && !utf8.Valid(m.Data):
		return nil, ErrInvalidText
	}
	whole := sharedFrames(m.Type, 0, m.Data, 0)[0]
	data := whole[len(whole)-len(m.Data):]
	return &Prepared{message: Message{m.Type, data}, whole: whole, wanted: wanted}, nil
}

// Message returns the message. Its data must not be changed or released.
func (p *Prepared) Message() Message { return p.message }

// Frame returns the message as it is, in one frame of a server's. It is shared:
// nobody may change it.
func (p *Prepared) Frame() []byte { return p.whole }

// Unchanged reports whether a connection with these extensions is certain to
// send the message as it is. [Conn.BeginPrepared], which then returns
// [Prepared.Frame] unless it is too long, need not be called if no other frame
// is under way on the connection.
func (p *Prepared) Unchanged(extensions []Extension) bool {
	return leftAlone(extensions, len(p.message.Data), p.wanted)
}

// BeginPrepared begins to send a prepared message. It returns the frames, one
// or more of at most maxFragment bytes of payload each (0: one frame), which
// are then all to be sent, in order and without other data frames in between;
// or, as long as nothing was sent, to be taken back with [Conn.UndoPrepared].
// They are shared: nobody may change them. Errors are those of
// [Conn.AppendMessage] and of compressing.
//
// A client, which masks what it sends, and a connection with other extensions
// than permessage-deflate get one frame that is theirs alone.
func (c *Conn) BeginPrepared(p *Prepared, maxFragment int) (frames [][]byte, err error) {
	if err := c.checkFrame(p.message.Type); err != nil {
		return nil, err
	}
	if c.out.open {
		return nil, ErrMessageOrder
	}
	c.FrameSent()
	d, ok := c.sharedDeflate()
	if !ok {
		return c.encodeAlone(p)
	}
	form, err := p.formFor(d, maxFragment)
	if err != nil {
		return nil, err
	}
	if form.compressed {
		d.rememberShared(p.message.Data, form.next)
		c.out.used, c.out.unsettled = append(c.out.used[:0], d), true
	}
	return form.frames, nil
}

// UndoPrepared takes back the last call of [Conn.BeginPrepared], for a caller
// that sent nothing of its frames and will not.
func (c *Conn) UndoPrepared() { c.undoPayload() }

// sharedDeflate returns the compression whose results can be shared, nil if
// there is none; ok is false if the connection shares nothing.
func (c *Conn) sharedDeflate() (d *deflate, ok bool) {
	switch {
	case c.role == Client || len(c.extensions) > 1:
		return nil, false
	case len(c.extensions) == 1:
		d, ok = c.extensions[0].(*deflate)
		return d, ok
	}
	return nil, true
}

// encodeAlone encodes the message for this connection.
func (c *Conn) encodeAlone(p *Prepared) ([][]byte, error) {
	others := c.out.compression
	c.out.compression = p.wanted
	defer func() { c.out.compression = others }()
	payload, err := c.EncodePayload(p.message.Type, true, p.message.Data)
	if err != nil {
		return nil, err
	}
	h, err := c.BeginFrame(p.message.Type, true, len(payload))
	if err != nil {
		return nil, err
	}
	return [][]byte{appendMasked(AppendHeader(nil, h), h, payload)}, nil
}

// formFor returns the form for a connection with this compression, or none.
func (p *Prepared) formFor(d *deflate, maxFragment int) (form *preparedForm, err error) {
	key := formKey{maxFragment: maxFragment}
	if d != nil && p.wanted != CompressOff {
		key.sharing = d.sharing()
	}
	if len(p.forms) >= maxForms && p.find(key) == nil {
		key.before = nil
	}
	if form = p.find(key); form != nil {
		return form, nil
	}
	if form, err = p.newForm(d, key); err == nil && len(p.forms) < 2*maxForms {
		p.forms = append(p.forms, form)
	}
	return form, err
}

func (p *Prepared) find(key formKey) *preparedForm {
	for _, form := range p.forms {
		if form.key == key {
			return form
		}
	}
	return nil
}

func (p *Prepared) newForm(d *deflate, key formKey) (*preparedForm, error) {
	form := &preparedForm{key: key}
	payload, rsv := p.message.Data, RSV(0)
	if key.bits > 0 {
		encoded, err := d.encodeShared(key.sharing, payload, p.wanted)
		switch {
		case err != nil:
			return nil, err
		case encoded == nil:
			return p.asItIs(d, key)
		}
		payload, rsv, form.compressed = encoded, d.RSV(), true
		form.next = p.merged(d.following(key.sharing, p.message.Data))
	}
	if !form.compressed && (key.maxFragment <= 0 || len(payload) <= key.maxFragment) {
		form.frames = [][]byte{p.whole}
	} else {
		form.frames = sharedFrames(p.message.Type, rsv, payload, key.maxFragment)
	}
	return form, nil
}

// asItIs returns a form for key with the frames of the one that is not
// compressed.
func (p *Prepared) asItIs(d *deflate, key formKey) (*preparedForm, error) {
	plain := formKey{maxFragment: key.maxFragment}
	form := p.find(plain)
	if form == nil {
		var err error
		if form, err = p.newForm(d, plain); err != nil {
			return nil, err
		}
		p.forms = append(p.forms, form)
	}
	return &preparedForm{key: key, frames: form.frames}, nil
}

// merged returns the history of another form instead if it is the same: so
// connections come together that did not begin at the same time.
func (p *Prepared) merged(next *history) *history {
	for _, form := range p.forms {
		if next != nil && form.next != nil && bytes.Equal(form.next.buf, next.buf) {
			return form.next
		}
	}
	return next
}

// sharedFrames encodes a message as a server sends it, in frames of at most
// maxFragment bytes of payload.
func sharedFrames(typ MessageType, rsv RSV, payload []byte, maxFragment int) (frames [][]byte) {
	if maxFragment <= 0 {
		maxFragment = max(len(payload), 1)
	}
	h := Header{Opcode: Opcode(typ), RSV: rsv}
	for !h.Fin {
		n := min(len(payload), maxFragment)
		h.Fin, h.Length = n == len(payload), int64(n)
		frame := append(AppendHeader(make([]byte, 0, n+MaxHeaderSize), h), payload[:n]...)
		frames = append(frames, frame[:len(frame):len(frame)])
		payload = payload[n:]
		h.Opcode, h.RSV = OpContinuation, 0
	}
	return frames
}

package protocol

// An Extension changes the payloads of data frames on one connection (RFC 6455,
// sections 5.8 and 9). It is made in the opening handshake by one of the
// factories that [Offer], [Acceptor] and the options of packages async and sync
// have. [Deflate] is one.
//
// A connection calls one method at a time. In packages async and sync a panic of
// Encode or Decode fails the connection with code 1011 and is logged. What an
// Extension holds between messages is what an idle connection costs; it is never told
// that it is not needed any more, so it must not hold what cannot simply be dropped.
type Extension interface {
	// Name is the token that was negotiated.
	Name() string

	// RSV has the reserved bits that the extension owns. They stand in the
	// first frame of each message that it has changed, and in no other frame.
	// With none of them, it changes all messages.
	RSV() RSV

	// Encode appends a frame's payload as it is to be sent to dst. used is
	// false if the extension leaves the message alone: dst is then returned with
	// nothing appended, and no other frame of the message comes. It is looked at
	// in the first frame only. payload must not be changed or kept.
	Encode(dst, payload []byte, frame Fragment) (encoded []byte, used bool, err error)

	// Sent tells what became of the frame of the last Encode that used it:
	// false if it was taken back, so that the peer will never see it. Encode
	// being called again means the same as true.
	Sent(sent bool)

	// Decode appends what the next piece of a message's payload stands for to
	// dst. Pieces come as they arrive, whatever the frames; last ends the
	// message. No more than room bytes may be appended; a message that has
	// more is [ErrMessageTooBig]. A [*ViolationError] fails the connection as
	// it says and any other error with code 1002. piece is the extension's to
	// change; neither it nor what is appended is to keep.
	Decode(dst, piece []byte, last bool, room int) (decoded []byte, err error)
}

// A Fragment says what an [Extension] is to encode.
type Fragment struct {
	Type        MessageType // of the message
	First, Last bool        // where in the message the frame is
	Compression Compression // what the sender of the message wants
}

// Compression says whether a message that is sent is to be compressed.
type Compression int8

// What a sender may want.
const (
	// CompressAuto leaves it to the connection's settings.
	CompressAuto Compression = iota

	// CompressOn compresses the message, if that was negotiated.
	CompressOn

	// CompressOff sends the message as it is: it is compressed already, or
	// its length would tell about a secret in it.
	CompressOff
)

// A ClientExtensionFactory offers an extension and makes it when the server
// accepts. It may be used concurrently.
type ClientExtensionFactory interface {
	// Name is the token for the extension.
	Name() string

	// RequestParams returns what to offer.
	RequestParams() []Param

	// ProcessResponseParams makes the extension that the server has accepted
	// with these parameters. accepted has those that stand before it in the
	// response. An error fails the handshake.
	ProcessResponseParams(params []Param, accepted []Extension) (Extension, error)
}

// A ServerExtensionFactory accepts an extension that clients offer. It may be
// used concurrently.
type ServerExtensionFactory interface {
	// Name is the token for the extension.
	Name() string

	// ProcessRequestParams makes the extension that a client offers with these
	// parameters, and returns those of the response. accepted has those that
	// will stand before it. An error declines the offer and nothing else.
	ProcessRequestParams(params []Param, accepted []Extension) ([]Param, Extension, error)
}

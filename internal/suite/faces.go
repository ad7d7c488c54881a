package suite

import "github.com/tandemws/tandem/internal/face"

// The suite speaks of faces all the time: here their names are short.
type (
	Face    = face.Face
	Sync    = face.Sync
	Async   = face.Async
	Options = face.Options
	Dialer  = face.Dialer
	Conn    = face.Conn
	Pong    = face.Pong
	Server  = face.Server
	Handler = face.Handler
)

// Faces are both.
var Faces = face.Both

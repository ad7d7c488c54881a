package suite

import (
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/internal/face"
)

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

	BroadcastOptions = face.BroadcastOptions
)

// Faces are both.
var Faces = face.Both

// EachFace runs test as a subtest for each face by itself, in virtual time.
func EachFace(t *testing.T, test func(t *testing.T, face Face)) {
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, face) })
		})
	}
}

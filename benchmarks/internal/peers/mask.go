package peers

import (
	"encoding/binary"
	_ "unsafe" // for linkname

	_ "github.com/coder/websocket"
	"github.com/gobwas/ws"
	_ "github.com/gorilla/websocket"
	_ "github.com/lxzan/gws"
	"github.com/tandemws/tandem/protocol"
)

// Masks are what the libraries mask a payload with, in place.
var Masks = map[string]func(b []byte, key [4]byte){
	"tandem":  func(b []byte, key [4]byte) { protocol.Mask(b, b, key, 0) },
	"gobwas":  func(b []byte, key [4]byte) { ws.Cipher(b, key, 0) },
	"coder":   func(b []byte, key [4]byte) { coderMask(b, binary.LittleEndian.Uint32(key[:])) },
	"gorilla": func(b []byte, key [4]byte) { gorillaMask(key, 0, b) },
	"gws":     func(b []byte, key [4]byte) { gwsMask(b, key[:]) },
}

// Three libraries do not export theirs.

//go:linkname coderMask github.com/coder/websocket.mask
func coderMask(b []byte, key uint32) uint32

//go:linkname gorillaMask github.com/gorilla/websocket.maskBytes
func gorillaMask(key [4]byte, pos int, b []byte) int

//go:linkname gwsMask github.com/lxzan/gws/internal.MaskXOR
func gwsMask(b []byte, key []byte)

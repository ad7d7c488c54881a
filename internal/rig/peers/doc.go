// Package peers has Tandem talk to other WebSocket libraries and to browsers,
// over real sockets: our clients with their servers, our servers with their
// clients, each with both faces. A last test compares our bytes on the wire
// with those of another library.
//
// The programs of the peers are in testdata/peers. docs/interop.md says what is
// checked, and what the peers cannot do. See package rig for how to run it.
package peers

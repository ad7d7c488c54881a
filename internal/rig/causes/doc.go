// Package causes makes peers that keepalive gives up, each for its own reason,
// and peers that it must not give up. It has tests only: what the reasons are
// is known on Linux, which says what became of the bytes on their way.
package causes

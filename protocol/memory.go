package protocol

// Memory lends memory for messages, and keeps what it is given back for others. It
// may be used concurrently. What it is given nobody else uses any more.
type Memory interface {
	// Lend returns memory of length 0 with room for n bytes or more; or with none,
	// if it is not worthwhile to keep any: then the message gets new memory.
	Lend(n int) []byte

	// Return takes back what was lent for a message, or part of one, that the
	// application has not been given.
	Return(data []byte)

	// Release takes the data of a message of the application's: one that it was
	// given, or has made.
	Release(data []byte)
}

// memory is nil as long as no driver has some.
var memory Memory

// KeepReleased has [Message.Release] give memory to m, and messages that arrive in
// pieces put together in what m lends. It is for drivers, which call it once, from
// an init function. Without it everything is left to the garbage collector.
func KeepReleased(m Memory) { memory = m }

// lendKept returns memory of length 0 with room for n bytes, or with none, which
// append will make, if none is kept.
func lendKept(n int) []byte {
	if memory == nil {
		return nil
	}
	return memory.Lend(n)
}

// lend returns memory of length 0 with room for n bytes.
func lend(n int) []byte {
	data := lendKept(n)
	if cap(data) < n {
		data = make([]byte, 0, n)
	}
	return data
}

func takeBack(data []byte) {
	if memory != nil {
		memory.Return(data)
	}
}

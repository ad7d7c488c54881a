package protocol

import "github.com/klauspost/compress/flate"

// A longDeflater compresses pieces with package flate.
type longDeflater struct {
	writer *flate.Writer
	out    []byte
}

// newLongDeflater returns one for a window of 2^bits bytes. Windows of less
// than the greatest size have one level only.
func newLongDeflater(bits, level int) (*longDeflater, error) {
	z := new(longDeflater)
	var err error
	if bits < maxWindowBits {
		z.writer, err = flate.NewWriterWindow(z, 1<<bits)
	} else {
		z.writer, err = flate.NewWriter(z, level)
	}
	return z, err
}

// Write is called by the writer.
func (z *longDeflater) Write(p []byte) (int, error) {
	z.out = append(z.out, p...)
	return len(p), nil
}

// deflate appends the compressed piece and an empty stored block to dst.
func (z *longDeflater) deflate(dst, history, piece []byte) ([]byte, error) {
	z.out = dst
	z.writer.ResetDict(z, history)
	_, err := z.writer.Write(piece)
	if err == nil {
		err = z.writer.Flush()
	}
	z.writer.ResetDict(z, nil) // the history is the connection's
	dst, z.out = z.out, nil
	return dst, err
}

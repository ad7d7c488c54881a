package protocol

import "slices"

// A plainInflater is what the inflater is compared with: RFC 1951 read bit by
// bit, without a table, a window or a piece, and with no thought of speed.
type plainInflater struct {
	in     []byte
	bit    int // how many bits of the input are read
	window int
	out    []byte
	err    error
}

// plainInflated decompresses a message that was cut off its flush tail.
func plainInflated(message []byte, window int) ([]byte, error) {
	p := &plainInflater{in: slices.Concat(message, flushTail), window: window}
	for p.err == nil {
		if p.bit == 8*len(message) || p.bit == 8*len(p.in) {
			return p.out, nil
		}
		p.block()
	}
	return p.out, p.err
}

// fail notes the first thing that is wrong. Whoever reads on gets zeros.
func (p *plainInflater) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *plainInflater) bits(n int) (value int) {
	if p.bit+n > 8*len(p.in) {
		p.fail(errTruncated)
	}
	for i := 0; i < n && p.err == nil; i++ {
		value |= int(p.in[p.bit/8]>>(p.bit%8)&1) << i
		p.bit++
	}
	return value
}

func (p *plainInflater) align() { p.bit = (p.bit + 7) / 8 * 8 }

func (p *plainInflater) block() {
	final := p.bits(1) == 1
	switch kind := p.bits(2); {
	case p.err != nil:
	case kind == 0:
		p.stored()
	case kind == 1:
		p.symbols(fixedLitLens(), slices.Repeat([]int{5}, 32))
	case kind == 2:
		p.symbols(p.dynamic())
	default:
		p.fail(errCorrupt)
	}
	if final {
		p.align()
	}
}

func (p *plainInflater) stored() {
	p.align()
	n := p.bits(16)
	if p.bits(16) != n^0xffff {
		p.fail(errCorrupt)
	}
	for ; n > 0 && p.err == nil; n-- {
		if b := p.bits(8); p.err == nil {
			p.out = append(p.out, byte(b))
		}
	}
}

func fixedLitLens() []int {
	return slices.Concat(slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112), slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8))
}

// dynamic reads the lengths of a block's own codes.
func (p *plainInflater) dynamic() (litLens, dists []int) {
	nLit, nDist, nCode := p.bits(5)+257, p.bits(5)+1, p.bits(4)+4
	if nLit > 286 || nDist > 30 {
		p.fail(errCorrupt)
	}
	codeLens := make([]int, 19)
	for _, at := range codeLenOrder[:nCode] {
		codeLens[at] = p.bits(3)
	}
	code := p.code(codeLens)
	var all []int
	for p.err == nil && len(all) < nLit+nDist {
		switch symbol := p.symbol(code); {
		case symbol < 16:
			all = append(all, symbol)
		case symbol == 16 && len(all) == 0:
			p.fail(errCorrupt)
		case symbol == 16:
			all = append(all, slices.Repeat(all[len(all)-1:], 3+p.bits(2))...)
		case symbol == 17:
			all = append(all, make([]int, 3+p.bits(3))...)
		default:
			all = append(all, make([]int, 11+p.bits(7))...)
		}
	}
	if p.err == nil && (len(all) > nLit+nDist || all[endOfBlock] == 0) {
		p.fail(errCorrupt)
	}
	if p.err != nil {
		return nil, nil
	}
	return all[:nLit], all[nLit:]
}

// A plainCode has the symbol of each code, found by its length and its bits.
type plainCode map[[2]int]int

// code makes a code of its lengths: those of a length count up, and begin where
// those of the length before end. It fails unless the code is complete, or has
// one symbol, or none.
func (p *plainInflater) code(lengths []int) plainCode {
	code := make(plainCode)
	next, all := 0, 0
	for n := 1; n <= maxCode; n++ {
		next <<= 1
		for symbol, length := range lengths {
			if length == n {
				code[[2]int{n, next}] = symbol
				next++
				all += 1 << (maxCode - n)
			}
		}
	}
	if all != 1<<maxCode && len(code) > 0 && (len(code) > 1 || all != 1<<(maxCode-1)) {
		p.fail(errCorrupt)
	}
	return code
}

func (p *plainInflater) symbol(code plainCode) int {
	bits := 0
	for n := 1; n <= maxCode && p.err == nil; n++ {
		bits = bits<<1 | p.bits(1)
		if symbol, ok := code[[2]int{n, bits}]; ok && p.err == nil {
			return symbol
		}
	}
	p.fail(errCorrupt)
	return 0
}

func (p *plainInflater) symbols(litLens, dists []int) {
	lits, far := p.code(litLens), p.code(dists)
	for p.err == nil {
		switch symbol := p.symbol(lits); {
		case p.err != nil || symbol == endOfBlock:
			return
		case symbol < endOfBlock:
			p.out = append(p.out, byte(symbol))
		default:
			p.match(symbol-endOfBlock-1, far)
		}
	}
}

func (p *plainInflater) match(symbol int, dists plainCode) {
	if symbol >= len(lengthBase) {
		p.fail(errCorrupt)
		return
	}
	length := int(lengthBase[symbol]) + p.bits(int(lengthExtra[symbol]))
	far := p.symbol(dists)
	if far >= len(distBase) {
		p.fail(errCorrupt)
		return
	}
	dist := int(distBase[far]) + p.bits(int(distExtra[far]))
	if dist > len(p.out) || dist > p.window {
		p.fail(errCorrupt)
	}
	for ; length > 0 && p.err == nil; length-- {
		p.out = append(p.out, p.out[len(p.out)-dist])
	}
}

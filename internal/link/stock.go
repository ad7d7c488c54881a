package link

import "sync"

// A stock lends what connections work with. What it has not got is made by
// another goroutine for those that may wait in Recv: making it may take more of
// the stack than is left of the 2 KiB that they begin with, and their stacks
// would never shrink to them again.
type stock[T any] struct {
	pool sync.Pool
	new  func() *T
	made chan *T
	make func() // sends a new one to made
}

func newStock[T any](new func() *T) *stock[T] {
	made := make(chan *T)
	return &stock[T]{new: new, made: made, make: func() { made <- new() }}
}

func (s *stock[T]) borrow() *T {
	if x, ok := s.pool.Get().(*T); ok {
		return x
	}
	go s.make()
	return <-s.made
}

// take is borrow for a goroutine that does not wait and has stack enough.
func (s *stock[T]) take() *T {
	if x, ok := s.pool.Get().(*T); ok {
		return x
	}
	return s.new()
}

func (s *stock[T]) giveBack(x *T) { s.pool.Put(x) }

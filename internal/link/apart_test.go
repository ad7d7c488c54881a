package link

import "testing"

// TestApart: an errand is done when apart returns, and if it panics apart does,
// so that whoever recovers from what an extension does still can.
func TestApart(t *testing.T) {
	for name, helper := range map[string]*Helper{"helper": new(Helper), "no helper": nil} {
		c := &Conn{opts: &Options{Helper: helper}}
		for range 3 {
			done := false
			c.apart(func(got *Conn) { done = got == c })
			if !done {
				t.Errorf("%s: not done", name)
			}
			if v := panicOf(func() { c.apart(func(*Conn) { panic("extension") }) }); v != "extension" {
				t.Errorf("%s: panicked with %v", name, v)
			}
		}
	}
}

func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

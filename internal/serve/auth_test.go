package serve

import "testing"

// TestNoCheck: that there is nothing to check with shows when the server is set
// up, not when the first client comes.
func TestNoCheck(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("BasicAuth takes nil")
		}
	}()
	BasicAuth("lab", nil)
}

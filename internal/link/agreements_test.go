package link

import (
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestAgreements has connections agree on the same, on other windows, and on
// something that they have to remember.
func TestAgreements(t *testing.T) {
	server := pooled(&protocol.Deflate{})
	agree := func(bits int, takeover bool) []protocol.Extension {
		client := protocol.Deflate{ServerNoContextTakeover: !takeover, ClientNoContextTakeover: !takeover, ServerMaxWindowBits: bits}
		_, ext, err := server.ProcessRequestParams(client.RequestParams(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return []protocol.Extension{ext}
	}
	a := new(Agreements)
	narrow, wide, remembering := a.of(agree(9, false)), a.of(agree(10, false)), a.of(agree(9, true))
	if a.of(agree(9, false)) != narrow {
		t.Error("the same agreement is kept twice")
	}
	if narrow == wide {
		t.Error("connections with different windows share their agreement")
	}
	if a.of(agree(9, true)) == remembering {
		t.Error("connections with context takeover share their state")
	}
	if n := len(a.lists); n != 2 {
		t.Errorf("%d agreements are kept, want 2", n)
	}
	if list := (*Agreements)(nil).of(agree(9, false)); len(*list) != 1 {
		t.Errorf("%d extensions without a server, want 1", len(*list))
	}
}

// TestAgreementsBound has settings without end, as a factory may make them.
func TestAgreementsBound(t *testing.T) {
	a := new(Agreements)
	for range 2 * maxAgreements {
		d := pooled(&protocol.Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true})
		_, ext, err := d.ProcessRequestParams(d.RequestParams(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if list := a.of([]protocol.Extension{ext}); (*list)[0] != ext {
			t.Fatal("the connection got another's settings")
		}
	}
	if n := len(a.lists); n != maxAgreements {
		t.Errorf("%d agreements are kept, want %d", n, maxAgreements)
	}
}

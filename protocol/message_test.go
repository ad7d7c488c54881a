package protocol

import "testing"

func TestMessage(t *testing.T) {
	data := []byte{1, 2}
	for _, tt := range []struct {
		m    Message
		typ  string
		text string
	}{
		{TextMessage("é"), "text", "é"},
		{BinaryMessage(data), "binary", "\x01\x02"},
		{Message{Type: 9, Data: []byte("x")}, "message type 9", "x"},
		{Message{}, "message type 0", ""},
	} {
		if tt.m.Type.String() != tt.typ || tt.m.String() != tt.text {
			t.Errorf("%v %q, want %s %q", tt.m.Type, tt.m, tt.typ, tt.text)
		}
	}
	if m := BinaryMessage(data); &m.Data[0] != &data[0] {
		t.Error("BinaryMessage copies its data, against its documentation")
	}
}

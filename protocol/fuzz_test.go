package protocol

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParseHeader encodes again what was decoded, and cuts it short: an error
// stays, and comes with the first byte that shows it.
func FuzzParseHeader(f *testing.F) {
	for _, s := range []string{"", "81", "8100", "827e0080", "82ff000000000001000001020304", "827f80", "8b", "09"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, size, err := ParseHeader(b)
		if size > min(len(b), MaxHeaderSize) || size > 0 && err != nil {
			t.Fatalf("size %d of %d bytes, %v", size, len(b), err)
		}
		if size > 0 {
			if again := AppendHeader(nil, h); !bytes.Equal(again, b[:size]) {
				t.Errorf("%x is %+v, which is encoded as %x", b[:size], h, again)
			}
		}
		seen := false // the end of the header, or an error
		for n := range len(b) + 1 {
			_, s, err := ParseHeader(b[:n])
			if done := s > 0 || err != nil; seen && !done {
				t.Fatalf("%x is finished, but not with %d bytes", b, n)
			} else if done {
				seen = true
			}
		}
	})
}

// FuzzReceive feeds any bytes at any cuts, with compression or without. The
// events and the answer are those of the whole, and what is held is bounded by
// what has arrived.
func FuzzReceive(f *testing.F) {
	for _, file := range frameVectorFiles(f) {
		for _, v := range loadFrameVectors(f, file) {
			for _, step := range v.Steps {
				if step.Receive == nil {
					continue
				}
				if input := parseHex(f, *step.Receive); len(input) < 1000 { // long ones slow all down
					flags := byte(3)
					if v.Compression != nil {
						flags |= compressedBit
					}
					f.Add(v.role(f) == Client, v.MaxMessageSize, flags, []byte{2, 1, 7}, input)
				}
			}
		}
	}
	for _, role := range []Role{Client, Server} {
		input, _ := conversation(role)
		f.Add(role == Client, int64(-1), byte(0), []byte{200}, input)
		f.Add(role == Client, int64(1300), byte(7), []byte{1, 0, 50}, input)
		for _, seed := range []byte{1, 2, 3, 4, 5, 6} {
			f.Add(role == Client, int64(2000*int(seed)), compressedBit|seed, []byte{seed, 0, 40}, compressedConversation(f, role, seed))
		}
	}
	f.Fuzz(func(t *testing.T, client bool, limit int64, flags byte, cuts, input []byte) {
		role := Server
		if client {
			role = Client
		}
		newConn := func() *Conn {
			cfg := Config{Role: role, MaxMessageSize: limit, MaskKeys: zeroKeys{}}
			if flags&compressedBit != 0 {
				cfg.Extensions = []Extension{fuzzedDeflate(t, role, flags)}
			}
			c := NewConn(cfg)
			if _, err := c.SendPing([]byte("p")); err != nil {
				t.Fatal(err)
			}
			return c
		}
		ref := newDriver(t, newConn())
		ref.sendOwed()
		ref.run(input)

		d := newDriver(t, newConn())
		d.sendOwed()
		d.window = flags&1 != 0
		if flags&2 != 0 {
			d.c.Streaming(true)
		}
		if flags&4 != 0 {
			d.c.AssembleInto(make([]byte, 0, 100))
		}
		arrived := 0
		for _, piece := range cutBy(input, cuts) {
			d.run(piece)
			arrived += len(piece)
			most := arrived
			if flags&compressedBit != 0 {
				most *= 1032 // the most that deflate makes of a byte
			}
			if held := cap(d.c.in.buf) + cap(d.c.in.stash); int64(held) > setAside(int64(most))+1000 {
				t.Fatalf("%d bytes are held for %d", held, arrived)
			}
		}
		if got, want := d.summary(), ref.summary(); got != want {
			t.Errorf("in pieces:\n%s\nwhole:\n%s", got, want)
		}
		if v := d.c.Violation(); v != nil && d.c.CloseReceived() != nil {
			t.Errorf("%v after a close frame", v)
		}
	})
}

// compressedBit is the flag of FuzzReceive for compression; those above it
// choose the settings.
const compressedBit = 8

// fuzzedDeflate is compression as seen by one end.
func fuzzedDeflate(t testing.TB, role Role, flags byte) Extension {
	d := &Deflate{Threshold: -1, Pools: onePool{}}
	if flags&16 != 0 {
		d.ClientNoContextTakeover, d.ServerNoContextTakeover = true, true
	}
	if flags&32 != 0 {
		d.ClientMaxWindowBits, d.ServerMaxWindowBits = minWindowBits, minWindowBits
	}
	client, server := negotiated(t, d, d)
	if role == Client {
		return client
	}
	return server
}

// compressedConversation is what a peer sends to an end of this role.
func compressedConversation(t testing.TB, role Role, flags byte) (wire []byte) {
	peer := Client
	if role == Client {
		peer = Server
	}
	c := NewConn(Config{Role: peer, MaskKeys: zeroKeys{}, Extensions: []Extension{fuzzedDeflate(t, peer, flags)}})
	rng := rand.New(rand.NewPCG(uint64(flags), 7692))
	for i := range 6 {
		data := resembling(rng, 600)
		cut := rng.IntN(len(data) + 1)
		for j, piece := range [][]byte{data[:cut], data[cut:]} {
			var err error
			if wire, err = c.AppendFragment(wire, Binary, i%2 == 0 || j == 1, piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	return wire
}

// cutBy cuts b into pieces of these sizes, again and again.
func cutBy(b, sizes []byte) (pieces [][]byte) {
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)])+1)
		}
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return pieces
}

// FuzzClosePayload reads any payload and writes it again, and sends any reason.
func FuzzClosePayload(f *testing.F) {
	for _, s := range []string{"", "\x03", "\x03\xe8", "\x03\xe8bye", "\x03\xed", "\x03\xe8\xe2\x82", "\xff\xff", "\x0f\xa0" + strings.Repeat("é", 100)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parseClose(payload)
		var v *ViolationError
		switch {
		case err == nil && !bytes.Equal(c.appendPayload(nil), payload):
			t.Errorf("%x is %v, which is encoded as %x", payload, c, c.appendPayload(nil))
		case err == nil && len(payload) <= MaxControlPayload && c.check() != nil:
			t.Errorf("%x was received, but may not be sent: %v", payload, c.check())
		case err != nil && (!errors.As(err, &v) || v.Code != ProtocolError && v.Code != InvalidPayloadData):
			t.Errorf("%x: %v", payload, err)
		}
		conn := newTestConn(Server)
		conn.Fail(PolicyViolation, string(payload), errors.New("test"))
		out := owed(t, conn, epoch)
		sent, err := parseClose(out[2:])
		if err != nil || sent != *conn.CloseSent() || len(out) > 2+MaxControlPayload {
			t.Errorf("Fail with %q sends %x: %v", payload, out, err)
		}
		if utf8.Valid(payload) && !strings.HasPrefix(string(payload), sent.Reason) {
			t.Errorf("Fail with %q sends %q", payload, sent.Reason)
		}
	})
}

// FuzzExtensions reads any header, one value a line, and writes it again. The
// other lists are read as well.
func FuzzExtensions(f *testing.F) {
	for _, s := range []string{
		"", "foo", "foo, bar; baz=2\nx", `a; b="c"`, `a; b="\c\d"`, "a;b=", ",,a,,", "a ; b = c ; d", strings.Repeat("a,", 130), strings.Repeat("a;b=c;", 130),
		"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		values := strings.Split(s, "\n")
		list, err := ParseExtensions(values)
		if err != nil {
			if list != nil || !errors.Is(err, ErrExtension) || len(err.Error()) > 200 {
				t.Errorf("%q: %v, %v", s, list, err)
			}
		} else {
			text, err := FormatExtensions(list)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if again, err := ParseExtensions([]string{text}); err != nil || !reflect.DeepEqual(again, list) {
				t.Errorf("%q is %v, then %v, %v", s, list, again, err)
			}
		}
		tokens, err := parseTokens(values)
		if err == nil {
			for _, token := range tokens {
				if !isToken(token) || !listContains(values, token) {
					t.Errorf("%q has %q in it, or not", s, token)
				}
			}
		}
	})
}

// FuzzRequest gives an Acceptor any request that net/http reads. What is
// accepted has what section 4.2.1 demands, and our client takes the response.
func FuzzRequest(f *testing.F) {
	for _, v := range loadRequestVectors(f) {
		f.Add(strings.Join(v.Lines, "\r\n") + "\r\n\r\n")
	}
	f.Fuzz(func(t *testing.T, wire string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
		if err != nil {
			return // no request of HTTP
		}
		choose := func(_ *http.Request, offered []string) (string, error) {
			if len(offered) == 0 {
				return "", nil
			}
			return offered[len(offered)-1], nil
		}
		a := &Acceptor{SelectSubprotocol: choose, Origins: []string{"https://example.com"}}
		agreement, header, err := a.Accept(r)
		if err != nil {
			var he *HandshakeError
			if !errors.As(err, &he) || he.Local || !slices.Contains([]int{400, 403, 405, 426, 505}, he.Status) || header != nil {
				t.Errorf("%q: %v", wire, err)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) || len(err.Error()) > 300 {
				t.Errorf("error %q is not fit to be sent", err)
			}
			return
		}
		if r.Method != "GET" || r.Host == "" || r.ContentLength != 0 || trimSpace(r.Header.Get("Sec-WebSocket-Version")) != "13" {
			t.Errorf("accepted %q", wire)
		}
		b, err := AppendResponse(nil, header, epoch)
		if err != nil {
			t.Fatal(err)
		}
		offer := &Offer{Subprotocols: []string{agreement.Subprotocol}}
		if got, err := offer.CheckResponse(r, readResponse(t, string(b))); err != nil || !reflect.DeepEqual(got, agreement) {
			t.Errorf("client: %+v, %v; server: %+v", got, err, agreement)
		}
	})
}

// FuzzResponse gives an Offer any response that net/http reads. What is
// accepted has what section 4.1 demands.
func FuzzResponse(f *testing.F) {
	for _, v := range loadResponseVectors(f) {
		f.Add(strings.Join(v.Lines, "\r\n") + "\r\n\r\n")
	}
	f.Fuzz(func(t *testing.T, wire string) {
		offer := sampleOffer(Offer{Subprotocols: []string{"chat", "superchat"}})
		req, err := offer.Request(&url.URL{Scheme: "ws", Host: "h"})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(wire)), req)
		if err != nil {
			return // no response of HTTP
		}
		agreement, err := offer.CheckResponse(req, resp)
		var he *HandshakeError
		var se *InvalidStatusError
		switch {
		case err == nil:
			if resp.StatusCode != 101 || trimSpace(resp.Header.Get("Sec-Websocket-Accept")) != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" ||
				agreement.Subprotocol != trimSpace(strings.Join(resp.Header["Sec-Websocket-Protocol"], ",")) {
				t.Errorf("accepted %q with %+v", wire, agreement)
			}
		case errors.As(err, &he) == errors.As(err, &se):
			t.Errorf("%q: %v", wire, err)
		case he != nil && he.Local, !reflect.DeepEqual(agreement, Agreement{}):
			t.Errorf("%q: %+v, %v", wire, agreement, err)
		}
	})
}

// FuzzOffer asks for any URL with any header. What comes out is one request,
// with nothing smuggled in, and our server accepts it.
func FuzzOffer(f *testing.F) {
	f.Add("ws://example.com/chat", "", "Origin", "http://example.com")
	f.Add("wss://u:p@[::1]:8080/a%20b?c d#", "h", "X", "a\r\nY: b")
	f.Add("http://bücher.example?é", "a b", "sec-websocket-key", "")
	f.Fuzz(func(t *testing.T, rawURL, host, name, value string) {
		u, err := url.Parse(rawURL)
		if err != nil {
			return // no URL
		}
		offer := &Offer{Host: host, Header: http.Header{name: {value}}}
		req, err := offer.Request(u)
		if err != nil {
			var he *HandshakeError
			if !errors.As(err, &he) || !he.Local {
				t.Errorf("%v", err)
			}
			return
		}
		var wire bytes.Buffer
		if err := req.Write(&wire); err != nil {
			return // net/http refuses it too: a host that is not IDNA
		}
		got := readRequest(t, wire.String())
		for field := range got.Header {
			_, onWire := spellings(field)
			_, ours := req.Header[onWire]
			if !ours && !strings.EqualFold(field, name) {
				t.Errorf("%q: field %q was smuggled in", wire.String(), field)
			}
		}
		a := &Acceptor{Origins: []string{"*"}}
		if _, _, err := a.Accept(got); err != nil && got.Host != "" {
			t.Errorf("our server refuses %q: %v", wire.String(), err)
		}
	})
}

// FuzzOrigin lets nobody in whose origin is, to an ordinary URL parser, another
// one than the server's and the one that is allowed. Patterns are another target's.
func FuzzOrigin(f *testing.F) {
	f.Add("example.com", "https://example.com", "https://example.org", false)
	f.Add("[::1]:8080", "HTTP://[::1]:8080", "null", true)
	f.Add("example.com", "http://example.com@evil.example", "*", false)
	f.Add("example.com:443", "https://example.com\t", "app://x", true)
	f.Fuzz(func(t *testing.T, host, from, allowed string, overTLS bool) {
		r := request(t, "")
		r.Host = host
		r.Header["Origin"] = []string{from}
		if overTLS {
			r.TLS = new(tls.ConnectionState)
		}
		a := &Acceptor{Origins: []string{allowed}}
		_, _, err := a.Accept(r)
		if err != nil {
			var he *HandshakeError
			if !errors.As(err, &he) || he.Local || he.Status != 403 && he.Status != 400 {
				t.Errorf("%q at %q: %v", from, host, err)
			}
			return
		}
		if valid := a.Validate() == nil; strings.Contains(allowed, "*") || valid && sameOrigin(from, allowed) {
			return
		}
		if !sameOrigin(from, "https://"+host) && (overTLS || !sameOrigin(from, "http://"+host)) {
			t.Errorf("%q may connect to %q, TLS %t, allowed %q", from, host, overTLS, allowed)
		}
	})
}

// sameOrigin compares two origins by means of net/url.
func sameOrigin(a, b string) bool {
	a, b = trimSpace(a), trimSpace(b)
	if equalFoldASCII(a, b) {
		return true
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	if !isASCII(a) || err != nil || err2 != nil || u.Path+u.RawQuery+u.Fragment != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	port := func(u *url.URL) string {
		return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	return u.Scheme == v.Scheme && u.Hostname() == v.Hostname() && port(u) == port(v)
}

// FuzzUTF8 gives any bytes in any pieces to a validator.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "abc", "é€𝄞", "\xed\xa0\x80", "\xf4\x90", "\xe2\x82", "a\xffb"} {
		f.Add([]byte(s), []byte{0})
	}
	f.Fuzz(func(t *testing.T, text, cuts []byte) { checkUTF8(t, cutBy(text, cuts)...) })
}

// FuzzMask compares with masking byte by byte, in any pieces, and with each way
// to mask that there is.
func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x37fa213d), []byte{1, 2})
	f.Add(bytes.Repeat([]byte("0123456789"), 20), uint32(0x01020304), []byte{32, 7})
	f.Add(bytes.Repeat([]byte("0123456789"), 41), uint32(0xff000080), []byte{1, 200, 65})
	f.Fuzz(func(t *testing.T, payload []byte, k uint32, cuts []byte) {
		key := [4]byte(binary.BigEndian.AppendUint32(nil, k))
		want := maskSlowly(payload, key, 0)
		offset := 0
		for _, piece := range cutBy(bytes.Clone(payload), cuts) {
			Mask(piece, piece, key, offset)
			if !bytes.Equal(piece, want[offset:offset+len(piece)]) {
				t.Fatalf("%x at %d is %x, want %x", payload, offset, piece, want[offset:offset+len(piece)])
			}
			offset += len(piece)
		}
		for name, kind := range maskKinds {
			if len(payload) < max(1, kind.least) {
				continue
			}
			got := make([]byte, len(payload))
			if kind.mask(got, payload, binary.LittleEndian.Uint32(key[:])); !bytes.Equal(got, want) {
				t.Fatalf("%x by %s is %x, want %x", payload, name, got, want)
			}
		}
	})
}

// FuzzOriginPattern has anything as an origin, a Host header and an entry of Origins.
// Who is let in has a host that is, letter by letter, what was allowed; package
// net/url, which reads it in another way than we do, agrees.
func FuzzOriginPattern(f *testing.F) {
	for _, s := range []string{
		"https://www.example.com", "https://evil.org:x.example.com", "https://evil@www.example.com", "https://[::1].example.com", "null",
		"HTTPS://WWW.EXAMPLE.COM:443", "https://evil.org/.example.com", "http://example.com", "https://a.b.example.com:8443",
	} {
		for _, entry := range []string{"https://*.example.com", "https://example.com", "https://*.example.com:*"} {
			f.Add(s, "example.com", entry)
		}
	}
	f.Fuzz(func(t *testing.T, value, host, entry string) {
		if entry == anyOrigin || entry == nullOrigin {
			return
		}
		a := &Acceptor{Origins: []string{entry}}
		r := &http.Request{Host: host, Header: http.Header{"Origin": {value}}}
		if a.checkOrigin(r) != nil {
			return
		}
		u, err := url.Parse(trimSpace(value))
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q was let in, and is no origin: %v", value, err)
		}
		got := strings.ToLower(u.Hostname())
		own := url.URL{Host: strings.ToLower(host)}
		if got == own.Hostname() {
			return
		}
		if a.Validate() != nil {
			t.Fatalf("%q was let in by the entry %q, which is none", value, entry)
		}
		_, authority, _ := strings.Cut(strings.ToLower(entry), "://")
		wanted := url.URL{Host: strings.TrimSuffix(authority, ":*")}
		domain, pattern := strings.CutPrefix(wanted.Hostname(), "*.")
		if pattern && !strings.HasSuffix(got, "."+domain) || !pattern && got != domain {
			t.Fatalf("%q was let in by the entry %q", value, entry)
		}
	})
}

package dial

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestDigest answers the challenges of RFC 7616, section 3.9.1, of RFC 2617,
// section 3.5, and others whose answers Python's hashlib computed.
func TestDigest(t *testing.T) {
	const rfc7616 = `Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	const rfc7616Cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	for name, test := range map[string]struct {
		challenge      string
		user, password string
		uri, cnonce    string
		wants          []string // in the answer to each request
	}{
		"MD5": {rfc7616 + ", algorithm=MD5", "Mufasa", "Circle of Life", "/dir/index.html", rfc7616Cnonce, []string{
			`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ` +
				`response="8ca523f5e9506fed4657c9700eebdbec", algorithm=MD5, qop=auth, nc=00000001, cnonce="` + rfc7616Cnonce + `", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`}},
		"SHA-256": {rfc7616 + ", algorithm=SHA-256", "Mufasa", "Circle of Life", "/dir/index.html", rfc7616Cnonce, []string{
			`response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", algorithm=SHA-256, qop=auth`}},
		"MD5-sess": {rfc7616 + ", algorithm=MD5-sess", "Mufasa", "Circle of Life", "/dir/index.html", rfc7616Cnonce, []string{
			`response="e783283f46242139c486a698fec7211d", algorithm=MD5-sess, qop=auth, nc=00000001`,
			`response="6914b51e16f9459d9abc967ad41c4599", algorithm=MD5-sess, qop=auth, nc=00000002`}},
		"SHA-256-sess": {rfc7616 + ", algorithm=sha-256-SESS", "Mufasa", "Circle of Life", "/dir/index.html", rfc7616Cnonce, []string{
			`response="2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"`,
			`response="6bb0010aa4bdf46422a798c509ea32e256f27bd37de5cc3bdf8ed51e1d77d650"`}},
		"SHA-512-256, user hashed": {`Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true`,
			"Jäsøn Doe", "Secret, or not?", "/doe.json", "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm", []string{
				`username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", realm=`,
				`nc=00000002`}},
		"user beyond ASCII": {`Digest realm="r", qop=auth, nonce="n", charset=UTF-8`, "Jäsøn Doe", "p", "/", "c", []string{
			`Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm="r"`}},
		"no algorithm": {`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b", []string{`response="6629fae49393a05397450978507c4ef1", qop=auth, nc=00000001, cnonce="0a4f113b", opaque=`}},
		"no qop": {`Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`,
			"Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b", []string{`nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", response="670fd8c2df070c60b045671b8b24ff02"`}},
		"quotes": {`Digest realm="a \"quoted\" \\ realm", qop=auth, nonce="n"`, `us"er`, "p", "/", "c", []string{
			`Digest username="us\"er", realm="a \"quoted\" \\ realm", uri="/"`}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDigest(url.UserPassword(test.user, test.password), []string{test.challenge}, nil)
			if d == nil {
				t.Fatal("the challenge is not understood")
			}
			if len(d.cnonce) < 16 {
				t.Errorf("cnonce %q", d.cnonce)
			}
			d.cnonce = test.cnonce
			for i, want := range test.wants {
				if got := d.authorization("GET", test.uri); !strings.Contains(got, want) {
					t.Errorf("answer %d: %s\nwant %s", i+1, got, want)
				}
			}
		})
	}
}

// TestDigestFields has in the answer what the challenge asks for, and no more.
func TestDigestFields(t *testing.T) {
	const none = `username="u", realm="r", uri="/", nonce="n", response=`
	for challenge, want := range map[string]string{
		`realm="r", nonce="n"`:                               none,
		`realm="r", nonce="n", opaque=""`:                    none + `, opaque=""`,
		`realm="r", nonce="n", algorithm=MD5`:                none + `, algorithm=MD5`,
		`realm="r", nonce="n", charset=UTF-8`:                none,
		`realm="r", nonce="n", userhash=false`:               none,
		`realm="r", nonce="n", userhash=true`:                `username="ba84be203fdfc7d34e054a76d285d0c9", realm="r", uri="/", nonce="n", response=, userhash=true`,
		`realm="r", nonce="n", qop="auth", opaque="o"`:       none + `, qop=auth, nc=00000001, cnonce="c", opaque="o"`,
		`realm="r", nonce="n", domain="/", stale=false, x=y`: none,
	} {
		d := newDigest(url.UserPassword("u", "p"), []string{"Digest " + challenge}, nil)
		d.cnonce = "c"
		before, rest, _ := strings.Cut(d.authorization("GET", "/"), `response="`)
		if got := before + "response=" + rest[33:]; got != "Digest "+want {
			t.Errorf("%s\ngot  %s\nwant %s", challenge, got, "Digest "+want)
		}
	}
	d := newDigest(url.UserPassword("zoë", "p"), []string{`Digest realm="r", nonce="n"`}, nil)
	if got := d.username(); got != `username="zoë"` {
		t.Errorf("without a charset: %s", got)
	}
}

// TestDigestChoice takes the first challenge that can be answered.
func TestDigestChoice(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string // the nonce; "": none can be answered
	}{
		{[]string{`Basic realm="x"`}, ""},
		{[]string{`Basic realm="x", nonce="1"`}, ""},
		{[]string{`Digest realm="x"`}, ""},
		{[]string{`Digest realm="x", nonce=""`}, ""},
		{[]string{`Digest nonce="1", algorithm=SHA-1`}, ""},
		{[]string{`Digest nonce="1", qop="auth-int"`}, ""},
		{[]string{`Digest nonce="1", qop=""`}, ""},
		{[]string{`Digest nonce="1", algorithm=MD5-sess`}, ""},
		{[]string{`Digest nonce="1", qop=auth-int`, `Digest nonce="2", qop=auth`}, "2"},
		{[]string{`Basic realm="a", Digest nonce="1", algorithm=SHA-3, Digest nonce="2", algorithm=SHA-256`}, "2"},
		{[]string{`Negotiate abc==, digest NONCE=1`}, "1"},
		{[]string{`Digest nonce=1, nonce=2`}, "1"},
		{nil, ""},
	} {
		d := newDigest(url.User("u"), test.lines, nil)
		if (d != nil) != (test.want != "") || d != nil && d.challenge.params["nonce"] != test.want {
			t.Errorf("%q: answers %+v, want %q", test.lines, d, test.want)
		}
	}
}

// TestParseChallenges reads what servers send, and what they should not.
func TestParseChallenges(t *testing.T) {
	for line, want := range map[string]string{
		``:                                      ``,
		` , ,`:                                  ``,
		`Basic`:                                 `Basic map[]`,
		`Basic realm="a"`:                       `Basic map[realm:a]`,
		`Basic  realm = "a" ,charset="UTF-8"`:   `Basic map[charset:UTF-8 realm:a]`,
		`Digest a=1, b="2, 3", Basic realm=x`:   `Digest map[a:1 b:2, 3] Basic map[realm:x]`,
		`Negotiate YII=, Basic realm="x"`:       `Negotiate map[yii:] Basic map[realm:x]`,
		`Negotiate YII==`:                       `Negotiate map[yii:=]`,
		`Digest a="b\"c\\d\e"`:                  `Digest map[a:b"c\de]`,
		`Digest a="no end`:                      `Digest map[]`,
		`Digest a="no end\`:                     `Digest map[]`,
		`Digest a="b" c=d`:                      `Digest map[a:b c:d]`,
		`realm="nobody's"`:                      ``,
		`Digest ="x", a=b`:                      ``,
		"Digest\ta=b":                           `Digest map[a:b]`,
		`Newauth realm="apps", type=1, Basic x`: `Newauth map[realm:apps type:1] Basic map[] x map[]`,
	} {
		var parts []string
		for _, c := range parseChallenges(line) {
			parts = append(parts, fmt.Sprint(c.scheme, " ", c.params))
		}
		if got := strings.Join(parts, " "); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}

// FuzzChallenges: no line makes the parser, or an answer, go wrong.
func FuzzChallenges(f *testing.F) {
	f.Add(`Digest realm="a\"b", qop="auth", nonce="n", algorithm=MD5-sess, opaque=o, userhash=true, Basic realm=x`)
	f.Add(`Negotiate abc==, Digest nonce=1`)
	f.Add(`Digest nonce="\`)
	f.Fuzz(func(t *testing.T, line string) {
		challenges := parseChallenges(line)
		if len(challenges) > len(line) {
			t.Fatalf("%d challenges in %d bytes", len(challenges), len(line))
		}
		d := newDigest(url.UserPassword("user", "secret"), []string{line}, nil)
		if d == nil {
			return
		}
		// What we say is read again as what we meant.
		again := parseChallenges(d.authorization("GET", "/"))
		if len(again) != 1 || again[0].scheme != "Digest" {
			t.Fatalf("%q is answered with %v", line, again)
		}
		for _, name := range []string{"realm", "nonce", "opaque"} {
			if got, want := again[0].params[name], d.challenge.params[name]; got != want {
				t.Errorf("%q: %s %q, want %q", line, name, got, want)
			}
		}
	})
}

package dial

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"strings"
)

// A digest answers a server's challenge with a user's name and password, once
// for each request (RFC 7616). The libraries that there are know no algorithm
// whose name ends in -sess, and one challenge a line.
type digest struct {
	user      *url.Userinfo
	challenge challenge
	cnonce    string
	count     int  // of the requests that have had the challenge's nonce
	nth       int  // of the challenges that were answered in a row
	proven    bool // the server has taken it, and led us on
}

// maxAnswers bounds the challenges that are answered: a server may find a
// nonce stale, but not for ever.
const maxAnswers = 3

// digestAlgorithms are what the names of algorithms stand for, without -sess
// (section 6.1). No name is MD5.
var digestAlgorithms = map[string]func() hash.Hash{
	"":            md5.New,
	"MD5":         md5.New,
	"SHA-256":     sha256.New,
	"SHA-512-256": sha512.New512_256,
}

// newDigest answers the first challenge in the lines of a refusal that it can:
// the server has them in its order of preference (section 3.7). nil: there is
// none, or the password was of no use before.
func newDigest(user *url.Userinfo, lines []string, before *digest) *digest {
	for _, c := range challengesIn(lines) {
		if !c.supported() {
			continue
		}
		d := &digest{user: user, challenge: c, cnonce: rand.Text(), nth: 1}
		if before == nil || before.proven {
			return d
		}
		if d.nth += before.nth; !c.stale() || d.nth > maxAnswers {
			return nil
		}
		return d
	}
	return nil
}

// supported reports whether a challenge can be answered. One without qop is of
// RFC 2069 and has no sessions.
func (c *challenge) supported() bool {
	name, session := c.algorithm()
	qop, has := c.params["qop"]
	return strings.EqualFold(c.scheme, "Digest") && c.params["nonce"] != "" &&
		digestAlgorithms[name] != nil && (!has && !session || has && hasAuth(qop))
}

// algorithm returns the name of the algorithm in upper case, without -sess.
func (c *challenge) algorithm() (name string, session bool) {
	return strings.CutSuffix(strings.ToUpper(c.params["algorithm"]), "-SESS")
}

// stale reports whether the challenge says that the nonce was too old and the
// password may be right.
func (c *challenge) stale() bool { return strings.EqualFold(c.params["stale"], "true") }

func hasAuth(qop string) bool {
	for option := range strings.SplitSeq(qop, ",") {
		if strings.EqualFold(strings.TrimSpace(option), "auth") {
			return true
		}
	}
	return false
}

// authorization returns the Authorization header for a request (section 3.4).
func (d *digest) authorization(method, uri string) string {
	d.count++
	params := d.challenge.params
	_, withQOP := params["qop"]
	list := []string{
		d.username(),
		"realm=" + quoted(params["realm"]),
		"uri=" + quoted(uri),
		"nonce=" + quoted(params["nonce"]),
		"response=" + quoted(d.response(method, uri)),
	}
	if name, has := params["algorithm"]; has {
		list = append(list, "algorithm="+name)
	}
	if withQOP {
		list = append(list, "qop=auth", "nc="+d.nc(), "cnonce="+quoted(d.cnonce))
	}
	if opaque, has := params["opaque"]; has {
		list = append(list, "opaque="+quoted(opaque))
	}
	if d.hashesUser() {
		list = append(list, "userhash=true")
	}
	return "Digest " + strings.Join(list, ", ")
}

// response proves that we know the password (section 3.4.1).
func (d *digest) response(method, uri string) string {
	params := d.challenge.params
	password, _ := d.user.Password()
	secret := d.hash(d.user.Username(), params["realm"], password)
	if _, session := d.challenge.algorithm(); session {
		secret = d.hash(secret, params["nonce"], d.cnonce)
	}
	request := d.hash(method, uri)
	if _, withQOP := params["qop"]; !withQOP {
		return d.hash(secret, params["nonce"], request)
	}
	return d.hash(secret, params["nonce"], d.nc(), d.cnonce, "auth", request)
}

func (d *digest) nc() string { return fmt.Sprintf("%08x", d.count) }

// hash returns the hash of what is joined by colons, in hexadecimal.
func (d *digest) hash(parts ...string) string {
	name, _ := d.challenge.algorithm()
	h := digestAlgorithms[name]()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// username returns the parameter with the name, or its hash if the server wants
// that. Characters beyond ASCII have a form of their own, which a server that
// knows of them announces (section 3.4.4 and RFC 8187).
func (d *digest) username() string {
	name := d.user.Username()
	switch {
	case d.hashesUser():
		return "username=" + quoted(d.hash(name, d.challenge.params["realm"]))
	case strings.EqualFold(d.challenge.params["charset"], "UTF-8") && !isASCII(name):
		return "username*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return "username=" + quoted(name)
}

func (d *digest) hashesUser() bool {
	return strings.EqualFold(d.challenge.params["userhash"], "true")
}

// quoted returns s as a quoted-string (RFC 9110, section 5.6.4).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

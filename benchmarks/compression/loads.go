package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A load is a kind of messages.
type load struct {
	title    string
	messages func() [][]byte
}

// loads are made of random parts, always the same ones.
var loads = []load{
	{"JSON of about 100 bytes: prices.", func() [][]byte { return ticks(2000) }},
	{"JSON of about 1 kB: orders.", func() [][]byte { return orders(300, 6) }},
	{"JSON of about 20 kB: lists of orders.", func() [][]byte { return orders(20, 120) }},
	{"Text of about 300 bytes: chat.", func() [][]byte { return chat(500) }},
}

func ticks(n int) (messages [][]byte) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		messages = append(messages, fmt.Appendf(nil,
			`{"type":"ticker","sequence":%d,"product_id":%q,"price":"%d.%02d","side":%q,"size":"%.6f"}`,
			5928281084+int64(i), pick(rng, symbols), 100+rng.IntN(900), rng.IntN(100), pick(rng, sides), rng.Float64()))
	}
	return messages
}

var (
	symbols = []string{"BTC-USD", "ETH-USD", "ETH-BTC", "SOL-EUR", "ADA-EUR", "DOT-USD"}
	sides   = []string{"buy", "sell"}
	names   = []string{"Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi"}
	cities  = []string{"Amsterdam", "Berlin", "Copenhagen", "Dublin", "Edinburgh", "Florence"}
)

func orders(n, items int) (messages [][]byte) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range n {
		var list []string
		for range items {
			list = append(list, fmt.Sprintf(
				`{"id":"%08x-%04x","customer":{"name":%q,"city":%q},"quantity":%d,"price":%d.%02d,"shipped":%t,"created_at":"2026-%02d-%02dT%02d:%02d:00Z"}`,
				rng.Uint32(), rng.IntN(1<<16), pick(rng, names), pick(rng, cities), 1+rng.IntN(20), rng.IntN(500), rng.IntN(100),
				rng.IntN(2) == 0, 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60)))
		}
		messages = append(messages, []byte(`{"orders":[`+strings.Join(list, ",")+`]}`))
	}
	return messages
}

// chat strings words together in which a few are much more frequent than the
// others, as in a language.
func chat(n int) (messages [][]byte) {
	rng := rand.New(rand.NewPCG(3, 3))
	zipf := rand.NewZipf(rng, 1.1, 4, uint64(len(words)-1))
	for range n {
		var text []string
		for range 30 + rng.IntN(40) {
			text = append(text, words[zipf.Uint64()])
		}
		messages = append(messages, []byte(strings.Join(text, " ")+"."))
	}
	return messages
}

// words are made of syllables, the short ones first.
var words = func() (list []string) {
	rng := rand.New(rand.NewPCG(4, 4))
	syllables := strings.Fields("the a of to in is it on as be at so we or an by no up for and not but all can had her was one our out day get has him his how man new now old see two way who boy did its let put say she too use ing er ed es al en ly tion re con ver ter per")
	for i := range 3000 {
		word := ""
		for range 1 + min(i/300, 3) {
			word += pick(rng, syllables)
		}
		list = append(list, word)
	}
	return list
}()

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

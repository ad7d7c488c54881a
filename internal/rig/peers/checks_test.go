package peers

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/tandemws/tandem/protocol"
)

// The checks. The programs of the peers use the same names.
const (
	checkText                = "text"
	checkBinary              = "binary"
	checkEmpty               = "empty"
	checkLarge               = "1 MiB"
	checkFragmentsFromTandem = "fragments from Tandem"
	checkFragmentsFromPeer   = "fragments from the peer"
	checkPingFromTandem      = "ping from Tandem"
	checkPingFromPeer        = "ping from the peer"
	checkPongFromTandem      = "pong from Tandem"
	checkPongFromPeer        = "pong from the peer"
	checkCloseFromTandem     = "close from Tandem"
	checkCloseFromPeer       = "close from the peer"
)

// checks has all of them in the order of the table in docs/interop.md.
var checks = []string{
	checkText, checkBinary, checkEmpty, checkLarge,
	checkFragmentsFromTandem, checkFragmentsFromPeer,
	checkPingFromTandem, checkPingFromPeer,
	checkPongFromTandem, checkPongFromPeer,
	checkCloseFromTandem, checkCloseFromPeer,
}

// What the checks send. The programs of the peers send the same.
const (
	textPayload   = "Grüße, 世界 🌍" // characters of one to four bytes
	tandemPayload = "from Tandem" // of our pings and pongs
	peerPayload   = "from the peer"
	heartbeat     = "heartbeat" // of pongs that nobody asked for

	tandemCode   protocol.CloseCode = 4001
	tandemReason                    = "Tandem has finished ✓"
	peerCode     protocol.CloseCode = 4002
	peerReason                      = "the peer has finished ✓"
)

// pieces are the fragments of a message. The text is cut between characters:
// some peers take each piece for a string.
var pieces = []string{"frag", "men", "ted"}

// everyByte is a message with each of the 256 bytes.
func everyByte() []byte { return series(256, 256) }

// large is a message of 1 MiB. A period that is no power of two shows pieces
// that have changed places.
func large() []byte { return series(1<<20, 251) }

// series counts up and starts anew after period.
func series(size, period int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i % period)
	}
	return b
}

// digest shows bytes that are too many to print.
func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// A gap is what a peer's API cannot do.
type gap struct {
	reason string
	partly bool // the check runs, but does not see all
}

// The peers.
const (
	wsPeer              = "Node ws"
	websocketsPeer      = "python3-websockets"
	aiohttpPeer         = "aiohttp"
	websocketdPeer      = "websocketd"
	websocketClientPeer = "websocket-client"
	javaPeer            = "Java"
	chromiumPeer        = "Chromium"
	firefoxPeer         = "Firefox"
)

// serverGaps and clientGaps have all that is not checked, by peer and check.
// The tests run what is not in here, and docs/interop.md has the same table.
var (
	serverGaps = map[string]map[string]gap{
		websocketsPeer: {
			checkPongFromTandem: {"not shown; it is on the wire, and the connection lives on", true},
			checkPingFromTandem: {"not shown; the pong came", true},
		},
		aiohttpPeer: {
			checkFragmentsFromPeer: {"sends every message in one frame", false},
		},
		websocketdPeer: {
			checkBinary:            {"a message is a line of text", false},
			checkFragmentsFromPeer: {"sends every message in one frame", false},
			checkPingFromTandem:    {"not shown; the pong came", true},
			checkPingFromPeer:      {"sends no pings", false},
			checkPongFromTandem:    {"not shown; it is on the wire, and the connection lives on", true},
			checkPongFromPeer:      {"sends pongs only in answer", false},
			checkCloseFromTandem:   {"not shown; the code came back", true},
			checkCloseFromPeer:     {"ends TCP without a close frame, which is reported as such", true},
		},
	}
	clientGaps = map[string]map[string]gap{
		websocketsPeer: {
			checkPingFromTandem: {"not shown; the pong came", true},
			checkPongFromTandem: {"not shown; it is on the wire, and the connection lives on", true},
		},
		websocketClientPeer: {
			checkCloseFromTandem: {"answers every close with code 1000", true},
		},
		chromiumPeer: browserGaps,
		firefoxPeer:  browserGaps,
	}
	browserGaps = map[string]gap{
		checkFragmentsFromPeer: {"the WebSocket API of browsers sends whole messages", false},
		checkPingFromTandem:    {"not shown; the pong came", true},
		checkPingFromPeer:      {"the WebSocket API of browsers has no pings", false},
		checkPongFromTandem:    {"not shown; it is on the wire, and the connection lives on", true},
		checkPongFromPeer:      {"the WebSocket API of browsers has no pongs", false},
	}
)

// joined joins pieces to the message that they are.
func joined(pieces []string) string { return strings.Join(pieces, "") }

package doccheck

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pythonPage is where each name of Python's websockets has a row.
const pythonPage = "docs/howto/coming-from-python.md"

// pythonNames are the public ones of version 17: functions, the arguments of
// connect and serve, what connections and servers have, exceptions, and what the
// environment says; and at the end those that older programs have.
const pythonNames = `
	connect unix_connect serve unix_serve route unix_route Router broadcast basic_auth
	raise_exceptions check_credentials
	recv recv_streaming send ping pong latency close wait_closed close_code close_reason
	state request response subprotocol username local_address remote_address id logger
	respond decode text timeout ack_on_close
	serve_forever is_serving shutdown connections sockets start_serving close_connections
	get_loop fileno
	uri additional_headers origin user_agent_header ssl server_hostname sock proxy
	proxy_ssl proxy_server_hostname process_exception reconnect_delays
	handler host port origins select_subprotocol process_request process_response
	server_header server_name create_router listeners task_status aclose stream
	ClientConnection ServerConnection
	ssl_handshake_timeout ssl_shutdown_timeout
	subprotocols extensions compression open_timeout close_timeout
	ping_interval ping_timeout max_size max_queue write_limit create_connection
	WebSocketException ConnectionClosed ConnectionClosedOK ConnectionClosedError InvalidURI
	InvalidHandshake InvalidStatus InvalidMessage InvalidHeader InvalidHeaderFormat
	InvalidHeaderValue InvalidUpgrade InvalidMethod InvalidProtocol InvalidOrigin
	NegotiationError DuplicateParameter InvalidParameterName InvalidParameterValue
	SecurityError RequestLineTooLong StatusLineTooLong HeaderLineTooLong TooManyHeaders
	InvalidProxy ProxyError InvalidProxyMessage InvalidProxyStatus ProtocolError
	PayloadTooBig ConcurrencyError InvalidState
	Close CloseCode State Side Opcode Frame Headers MultipleValuesError
	ClientProtocol ServerProtocol receive_data receive_eof events_received send_text
	send_binary send_continuation send_ping send_pong send_close fail data_to_send
	close_exc close_expected handshake_exc SEND_EOF Protocol Request Response Extension ClientExtensionFactory ServerExtensionFactory
	ClientPerMessageDeflateFactory ServerPerMessageDeflateFactory
	require_client_max_window_bits compress_settings
	WEBSOCKETS_SERVER WEBSOCKETS_USER_AGENT WEBSOCKETS_MAX_LINE_LENGTH
	WEBSOCKETS_MAX_NUM_HEADERS WEBSOCKETS_MAX_BODY_SIZE WEBSOCKETS_MAX_REDIRECTS
	WEBSOCKETS_BACKOFF_INITIAL_DELAY WEBSOCKETS_BACKOFF_MIN_DELAY
	WEBSOCKETS_BACKOFF_MAX_DELAY WEBSOCKETS_BACKOFF_FACTOR WEBSOCKETS_MAX_LOG_SIZE

	WebSocketCommonProtocol WebSocketProtocolError
	WebSocketClientProtocol WebSocketServerProtocol WebSocketServer
	path request_headers response_headers open closed ensure_open extra_headers
	ws_handler create_protocol klass read_limit loop BasicAuthWebSocketServerProtocol
	basic_auth_protocol_factory AbortHandshake InvalidStatusCode RedirectHandshake`

var (
	codeSpan = regexp.MustCompile("`[^`]+`")
	word     = regexp.MustCompile(`[A-Za-z_]\w*`)

	// goName finds a name with what stands before its dot, if anything does.
	goName = regexp.MustCompile(`(?:\b([a-z]+)\.)?\b([A-Z]\w*)`)
)

// TestPythonNames: the tables for people who come from Python have all of its
// names, and beside them names that we have.
func TestPythonNames(t *testing.T) {
	p, err := readPage(filepath.Join(root, pythonPage))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := ownNames(t), make(map[string]bool)
	for i, line := range p.prose {
		cells := strings.Split(line, "|") // the first and the last are outside
		if len(cells) != 4 {
			continue
		}
		for _, name := range inCode(word, cells[1]) {
			theirs[name[0]] = true
		}
		for _, name := range inCode(goName, cells[2]) {
			if known[name[1]] != "" && homes[name[1]] == "" {
				continue // of the standard library
			}
			if !ours[name[2]] && !borrowed[name[2]] {
				t.Errorf("%s:%d: there is no %s", p.path, i+1, name[2])
			}
		}
	}
	for _, name := range strings.Fields(pythonNames) {
		if !theirs[name] {
			t.Errorf("%s: %s is missing", p.path, name)
		}
	}
}

// borrowed are names of the standard library's that stand without its package.
var borrowed = map[string]bool{
	"StatusCode": true, "URL": true, "RequestURI": true, "Get": true, "Values": true,
	"ServerName": true, "Origin": true, "User": true, "Agent": true,
	"Accept": true, "Append": true, // "Append…"
}

// inCode returns what pattern finds in the code of a cell.
func inCode(pattern *regexp.Regexp, cell string) (found [][]string) {
	for _, code := range codeSpan.FindAllString(cell, -1) {
		found = append(found, pattern.FindAllStringSubmatch(code, -1)...)
	}
	return found
}

// ownNames returns the exported names of all packages, members without their
// types.
func ownNames(t *testing.T) map[string]bool {
	names := make(map[string]bool)
	for _, dir := range homes {
		for name := range exported(t, filepath.Join(root, dir)) {
			names[name[strings.LastIndexByte(name, '.')+1:]] = true
		}
	}
	return names
}

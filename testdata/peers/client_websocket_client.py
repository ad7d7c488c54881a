"""The checks of a client with Debian's python3-websocket (websocket-client).

client_websocket_client.py URL RECORDED_URL
"""

import platform
import struct
import sys

import websocket
from websocket import ABNF

from report import describe, say, series


class Connection:
    """A connection that notes what comes."""

    def __init__(self, url):
        self.ws = websocket.create_connection(url, timeout=30)
        self.facts = {"messages": [], "pings": [], "pongs": []}

    def receive(self):
        """Receive one frame or fragmented message, and answer a ping."""
        opcode, frame = self.ws.recv_data_frame(control_frame=True)
        data = frame.data if isinstance(frame.data, bytes) else frame.data.encode()
        if opcode == ABNF.OPCODE_TEXT:
            self.facts["messages"].append(describe(data.decode()))
        elif opcode == ABNF.OPCODE_BINARY:
            self.facts["messages"].append(describe(data))
        elif opcode == ABNF.OPCODE_PING:  # the library has answered it
            self.facts["pings"].append(data.decode())
        elif opcode == ABNF.OPCODE_PONG:
            self.facts["pongs"].append(data.decode())
        elif opcode == ABNF.OPCODE_CLOSE:
            self.facts["code"] = struct.unpack("!H", data[:2])[0]
            self.facts["reason"] = data[2:].decode()

    def messages(self, count):
        while len(self.facts["messages"]) < count:
            self.receive()

    def send(self, data, opcode=ABNF.OPCODE_TEXT, fin=1):
        self.ws.send_frame(ABNF.create_frame(data, opcode, fin))

    def closed(self):
        while "code" not in self.facts:
            self.receive()

    def close(self, code=1000, reason=""):
        self.ws.send_close(code, reason.encode())
        self.closed()


def echo(c, *messages):
    for message in messages:
        opcode = ABNF.OPCODE_TEXT if isinstance(message, str) else ABNF.OPCODE_BINARY
        c.send(message, opcode)
    c.messages(len(messages))
    c.close()


def receive(c):
    c.messages(1)
    c.close()


def send_fragments(c):
    c.send("frag", ABNF.OPCODE_TEXT, fin=0)
    c.send("men", ABNF.OPCODE_CONT, fin=0)
    c.send("ted", ABNF.OPCODE_CONT, fin=1)
    receive(c)


def ping(c):
    c.ws.ping("from the peer")
    while not c.facts["pongs"]:
        c.receive()
    c.close()


def pong(c):
    c.ws.pong("heartbeat")
    echo(c, "still here")


# Name, path, what is done there, and whether it is recorded on the wire.
CHECKS = [
    ("text", "/echo", lambda c: echo(c, "Grüße, 世界 🌍"), False),
    ("binary", "/echo", lambda c: echo(c, series(256, 256)), False),
    ("empty", "/echo", lambda c: echo(c, "", b""), False),
    ("1 MiB", "/echo", lambda c: echo(c, series(2**20, 251)), False),
    ("fragments from Tandem", "/fragments", receive, True),
    ("fragments from the peer", "/echo?fragments", send_fragments, True),
    ("ping from Tandem", "/ping", receive, False),
    ("ping from the peer", "/echo", ping, False),
    ("pong from Tandem", "/pong", receive, True),
    ("pong from the peer", "/echo?pong", pong, True),
    ("close from Tandem", "/close", Connection.closed, False),
    ("close from the peer", "/watch", lambda c: c.close(4002, "the peer has finished ✓"), False),
]


def run(url, act):
    c = Connection(url)
    try:
        act(c)
    finally:
        c.ws.shutdown()
    return c.facts


def main(url, recorded_url):
    say(version=f"websocket-client {websocket.__version__}, Python {platform.python_version()}")
    for check, path, act, recorded in CHECKS:
        base = recorded_url if recorded else url
        try:
            say(check=check, **run(base + path, act))
        except (OSError, websocket.WebSocketException) as error:
            say(check=check, error=repr(error))


main(*sys.argv[1:])

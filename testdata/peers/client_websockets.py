"""The checks of a client with Debian's python3-websockets.

client_websockets.py URL RECORDED_URL
"""

import asyncio
import platform
import sys

import websockets

from report import describe, say, series


async def echo(ws, *messages):
    received = []
    for message in messages:
        await ws.send(message)
        received.append(await ws.recv())
    await ws.close()
    return received


async def receive(ws):
    received = [await ws.recv()]
    await ws.close()
    return received


async def send_fragments(ws):
    return await echo(ws, ["frag", "men", "ted"])  # a list is sent in fragments


async def ping(ws):
    # The library hands out a pong by ending the wait for it.
    await (await ws.ping("from the peer"))
    await ws.close()
    return []


async def pong(ws):
    await ws.pong("heartbeat")
    return await echo(ws, "still here")


async def close(ws):
    await ws.close(4002, "the peer has finished ✓")
    return []


async def wait_closed(ws):
    await ws.wait_closed()
    return []


# Name, path, what is done there, and whether it is recorded on the wire.
CHECKS = [
    ("text", "/echo", lambda ws: echo(ws, "Grüße, 世界 🌍"), False),
    ("binary", "/echo", lambda ws: echo(ws, series(256, 256)), False),
    ("empty", "/echo", lambda ws: echo(ws, "", b""), False),
    ("1 MiB", "/echo", lambda ws: echo(ws, series(2**20, 251)), False),
    ("fragments from Tandem", "/fragments", receive, True),
    ("fragments from the peer", "/echo?fragments", send_fragments, True),
    ("ping from Tandem", "/ping", receive, False),
    ("ping from the peer", "/echo", ping, False),
    ("pong from Tandem", "/pong", receive, True),
    ("pong from the peer", "/echo?pong", pong, True),
    ("close from Tandem", "/close", wait_closed, False),
    ("close from the peer", "/watch", close, False),
]


async def run(url, act):
    async with websockets.connect(url, ping_interval=None, max_size=2**21) as ws:
        received = await act(ws)
        await ws.wait_closed()
    facts = {"messages": [describe(m) for m in received], "code": ws.close_code, "reason": ws.close_reason}
    if act is ping:
        facts["pongs"] = ["from the peer"]
    return facts


async def main(url, recorded_url):
    say(version=f"websockets {websockets.__version__}, Python {platform.python_version()}")
    for check, path, act, recorded in CHECKS:
        base = recorded_url if recorded else url
        try:
            say(check=check, **await run(base + path, act))
        except (OSError, websockets.WebSocketException) as error:
            say(check=check, error=repr(error))


asyncio.run(main(*sys.argv[1:]))

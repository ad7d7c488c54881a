"""A WebSocket server with Debian's python3-websockets.

It serves the paths that README.md lists and prints what it sees, one JSON
object a line.
"""

import asyncio
import json
import platform
import sys
from urllib.parse import parse_qs, urlsplit

import websockets

from wire_script import script


def say(**facts):
    print(json.dumps(facts), flush=True)


async def echo(ws, query):
    async for message in ws:
        await ws.send(message)


async def fragments(ws, query):
    await ws.send(["frag", "men", "ted"])  # a list is sent in fragments


async def ping(ws, query):
    await (await ws.ping("from the peer"))
    await ws.send("pong received")


async def pong(ws, query):
    await ws.pong("heartbeat")
    await ws.send("pong sent")


async def close(ws, query):
    await ws.close(int(query["code"][0]), query["reason"][0])


async def drive(ws, query):
    await script(ws)


PATHS = {
    "/echo": echo,
    "/fragments": fragments,
    "/ping": ping,
    "/pong": pong,
    "/close": close,
    "/drive": drive,
}


async def handler(ws, path):
    url = urlsplit(path)
    query = parse_qs(url.query)
    try:
        await PATHS[url.path](ws, query)
        await ws.wait_closed()  # returning would close the connection
    except websockets.ConnectionClosed:
        pass  # it is said below
    say(id=query.get("id", [""])[0], event="close", code=ws.close_code, reason=ws.close_reason)


async def main():
    # Without pings of its own: they would be among those of the checks. With
    # room for the checks' largest message, and with compression if asked for.
    async with websockets.serve(
        handler, "127.0.0.1", 0, ping_interval=None, max_size=2**21, compression="deflate" if "compressed" in sys.argv else None
    ) as server:
        port = server.sockets[0].getsockname()[1]
        version = f"websockets {websockets.__version__}, Python {platform.python_version()}"
        say(port=port, version=version)
        await asyncio.Future()


asyncio.run(main())

"""A peer in Python that pings very often, for as long as the connection lasts.

hour.py websockets|aiohttp TIMEOUT serve
hour.py websockets|aiohttp TIMEOUT URL

Its library pings every 15 ms and gives Tandem up after TIMEOUT seconds without
a pong. To each message it answers how many of its pings were sent. A server
first prints its port, as the others do.
"""

import asyncio
import platform
import sys

import aiohttp
import websockets
from aiohttp import web

from report import say

INTERVAL = 0.015


class Counted:
    """Counts the pings that websockets sends."""

    sent = 0

    async def ping(self, data=None):
        self.sent += 1
        return await super().ping(data)


class CountedServer(Counted, websockets.WebSocketServerProtocol):
    pass


class CountedClient(Counted, websockets.WebSocketClientProtocol):
    pass


async def answer_websockets(ws, path=None):
    async for _ in ws:
        await ws.send(str(ws.sent))


async def serve_websockets(timeout):
    server = await websockets.serve(
        answer_websockets,
        "127.0.0.1",
        0,
        create_protocol=CountedServer,
        ping_interval=INTERVAL,
        ping_timeout=timeout,
    )
    return server.sockets[0].getsockname()[1]


async def connect_websockets(url, timeout):
    async with websockets.connect(
        url, create_protocol=CountedClient, ping_interval=INTERVAL, ping_timeout=timeout
    ) as ws:
        await answer_websockets(ws)


async def answer_aiohttp(ws, timeout):
    # The heartbeat gives a pong half of its interval, which is to be scaled
    # no more than the timeout of websockets is.
    ws._pong_heartbeat = timeout / 2
    sent = 0
    ping = ws._writer.ping

    async def counted(message=b""):
        nonlocal sent
        sent += 1
        await ping(message)

    ws._writer.ping = counted
    async for _ in ws:
        await ws.send_str(str(sent))


async def serve_aiohttp(timeout):
    async def handler(request):
        ws = web.WebSocketResponse(heartbeat=INTERVAL)
        await ws.prepare(request)
        await answer_aiohttp(ws, timeout)
        return ws

    app = web.Application()
    app.add_routes([web.get("/", handler)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return site._server.sockets[0].getsockname()[1]


async def connect_aiohttp(url, timeout):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, heartbeat=INTERVAL) as ws:
            await answer_aiohttp(ws, timeout)


ACTS = {
    "websockets": (serve_websockets, connect_websockets, websockets.__version__),
    "aiohttp": (serve_aiohttp, connect_aiohttp, aiohttp.__version__),
}


async def main(library, timeout, what):
    serve, connect, version = ACTS[library]
    timeout = float(timeout)
    if what != "serve":
        await connect(what, timeout)
        return
    port = await serve(timeout)
    say(port=port, version=f"{library} {version}, Python {platform.python_version()}")
    await asyncio.Future()


asyncio.run(main(*sys.argv[1:]))

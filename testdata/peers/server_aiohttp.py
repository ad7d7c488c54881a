"""A WebSocket server with Debian's python3-aiohttp.

It serves the paths that README.md lists and prints what it sees, one JSON
object a line.
"""

import asyncio
import json
import platform
import sys

import aiohttp
from aiohttp import WSMsgType, web


def say(**facts):
    print(json.dumps(facts), flush=True)


async def frames(ws, ident):
    """Yield what comes, pings answered, and say which control frames came.

    autoping and autoclose are off, because with them the library shows neither
    pings and pongs nor the reason of a close.
    """
    while True:
        message = await ws.receive()
        if message.type == WSMsgType.PING:
            await ws.pong(message.data)
            say(id=ident, event="ping", payload=message.data.decode())
        elif message.type == WSMsgType.PONG:
            say(id=ident, event="pong", payload=message.data.decode())
            yield message
        elif message.type == WSMsgType.CLOSE:
            await ws.close(code=message.data, message=message.extra.encode())
            say(id=ident, event="close", code=message.data, reason=message.extra)
            return
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            yield message
        else:  # closed by us, or an error
            return


async def echo(ws, query):
    async for message in frames(ws, query["id"]):
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await ws.send_bytes(message.data)


async def ping(ws, query):
    await ws.ping(b"from the peer")
    async for message in frames(ws, query["id"]):
        if message.type == WSMsgType.PONG and message.data == b"from the peer":
            await ws.send_str("pong received")


async def pong(ws, query):
    await ws.pong(b"heartbeat")
    await ws.send_str("pong sent")
    async for _ in frames(ws, query["id"]):
        pass


async def close(ws, query):
    await ws.close(code=int(query["code"]), message=query["reason"].encode())
    say(id=query["id"], event="close", code=ws.close_code, reason="")


PATHS = {"/echo": echo, "/ping": ping, "/pong": pong, "/close": close}


async def handler(request):
    ws = web.WebSocketResponse(autoping=False, autoclose=False, compress="compressed" in sys.argv)
    await ws.prepare(request)
    await PATHS[request.path](ws, request.query)
    return ws


async def main():
    app = web.Application()
    app.add_routes([web.get(path, handler) for path in PATHS])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    say(port=port, version=f"aiohttp {aiohttp.__version__}, Python {platform.python_version()}")
    await asyncio.Future()


asyncio.run(main())

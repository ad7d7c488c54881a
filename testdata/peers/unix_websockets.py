"""A WebSocket server or client over a Unix socket with Debian's
python3-websockets: "serve PATH" echoes until it is ended, "connect PATH" has
one message echoed and closes. It prints what it sees, one JSON object a line.
"""

import asyncio
import json
import sys

import websockets


def say(**facts):
    print(json.dumps(facts), flush=True)


async def echo(ws, path):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosed:
        pass  # it is said below
    say(event="close", code=ws.close_code, reason=ws.close_reason)


async def serve(path):
    async with websockets.unix_serve(echo, path):
        say(event="listening")
        await asyncio.Future()


async def connect(path):
    async with websockets.unix_connect(path, uri="ws://tandem.test/chat") as ws:
        await ws.send("over a socket")
        say(event="message", payload=await ws.recv())
        await ws.close(4000, "done")
    say(event="close", code=ws.close_code, reason=ws.close_reason)


asyncio.run({"serve": serve, "connect": connect}[sys.argv[1]](sys.argv[2]))

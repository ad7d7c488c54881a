"""A client with Debian's python3-websockets for the comparison on the wire.

It drives the script, or, on the path /drive, sends messages back.
"""

import asyncio
import sys

import websockets

from wire_script import script


async def main(url):
    async with websockets.connect(url, ping_interval=None, compression=None) as ws:
        if not url.endswith("/drive"):
            return await script(ws)
        async for message in ws:
            await ws.send(message)


asyncio.run(main(sys.argv[1]))

"""The session that is compared on the wire, from the side that drives it.

The other side sends messages back. internal/rig/peers/wire_test.go has the
same in Go.
"""


async def script(ws):
    # Lengths of 7, 16 and 64 bits (RFC 6455, section 5.2).
    for message in ["hello", "", bytes(200), bytes(70000)]:
        await ws.send(message)
        await ws.recv()
    await (await ws.ping(b"are you there?"))
    await ws.close(1000, "done")

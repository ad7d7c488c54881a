# The echo server of Python websockets; see package process for what it answers.
import asyncio, gc, os, resource, sys, threading, websockets

def answer():
    for line in sys.stdin:
        if line.strip() == "cpu":
            use = resource.getrusage(resource.RUSAGE_SELF)
            print(int((use.ru_utime + use.ru_stime) * 1e9), flush=True)
        else:
            gc.collect()
            with open("/proc/self/statm") as statm:
                print(int(statm.read().split()[1]) * resource.getpagesize(), flush=True)
    os._exit(0)

async def echo(ws, path=None):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosedError:
        pass  # the load goes without a closing handshake

async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print("%s:%d" % server.sockets[0].getsockname()[:2], flush=True)
        threading.Thread(target=answer, daemon=True).start()
        await asyncio.Future()

asyncio.run(main())

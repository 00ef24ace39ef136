"""A plain echo server on the websockets package: every message comes back as it was.

The first argument is how often it pings in seconds, and how long it waits for an answer. The others are the Origins
that it takes; without any, it takes all.
"""

import asyncio
import sys

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)
    print(f"closed {socket.close_code}", flush=True)


async def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    async with websockets.serve(
        echo, "127.0.0.1", 0, ping_interval=seconds, ping_timeout=seconds, origins=sys.argv[2:] or None
    ) as server:
        host, port = server.sockets[0].getsockname()
        print(f"listening on {host}:{port}", flush=True)
        await asyncio.Future()


asyncio.run(main())

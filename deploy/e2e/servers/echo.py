"""A plain echo server on the websockets package: every message comes back as it was."""

import asyncio

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)
    print(f"closed {socket.close_code}", flush=True)


async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        print(f"listening on {host}:{port}", flush=True)
        await asyncio.Future()


asyncio.run(main())

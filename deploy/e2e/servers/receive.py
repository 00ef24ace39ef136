"""receive.py LIBRARY ADDRESS FILE [answer|deaf|slow]: takes messages and writes each one down, as deploy/e2e/receiver
does. The libraries are websockets, aiohttp and tornado. The library stdin is a program of websocketd: it has the
messages of one connection in lines.
"""

import asyncio
import base64
import json
import os
import sys
import time

library, address, path, mode = (sys.argv[1:] + [""])[:4]
host, port = address.split(":")
file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
os.write(file, b"\n")  # the process before may have been killed within a line
connections = 0


def connection():
    global connections
    connections += 1
    return f"{os.getpid()}-{connections}"


def take(name, message):
    """Writes a message down, and then returns what is to be answered."""
    kind, data = ("text", message.encode()) if isinstance(message, str) else ("binary", message)
    os.write(file, f"{name} {kind} {base64.b64encode(data).decode()}\n".encode())
    if mode != "answer":
        return None
    got = json.loads(data)
    return json.dumps({"id": [e["id"] for e in got] if isinstance(got, list) else got["id"]})


async def pause():
    if mode == "slow":
        await asyncio.sleep(0.5)
    if mode == "deaf":
        await asyncio.Future()


async def websockets_main():
    import websockets

    async def serve(socket):
        name = connection()
        await pause()
        async for message in socket:
            answer = take(name, message)
            if answer is not None:
                await socket.send(answer)
            await pause()

    await websockets.serve(serve, host, int(port))


async def aiohttp_main():
    from aiohttp import WSMsgType, web

    async def serve(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        name = connection()
        await pause()
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            answer = take(name, message.data)
            if answer is not None:
                await socket.send_str(answer)
            await pause()
        return socket

    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, int(port)).start()


async def tornado_main():
    import tornado.web
    import tornado.websocket

    class Handler(tornado.websocket.WebSocketHandler):
        def open(self, *_):
            self.name = connection()

        async def on_message(self, message):
            await pause()
            answer = take(self.name, message)
            if answer is not None:
                await self.write_message(answer)

    tornado.web.Application([("/.*", Handler)]).listen(int(port), host)


def stdin_main():
    name = connection()
    for line in sys.stdin.buffer:
        if mode == "slow":
            time.sleep(0.5)
        answer = take(name, line.rstrip(b"\n").decode())
        if answer is not None:
            print(answer, flush=True)


async def main():
    await {"websockets": websockets_main, "aiohttp": aiohttp_main, "tornado": tornado_main}[library]()
    print(f"listening on {address}", flush=True)
    await asyncio.Future()


if library == "stdin":
    stdin_main()
else:
    asyncio.run(main())

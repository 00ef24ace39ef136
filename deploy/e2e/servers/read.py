"""read.py URL FILE: reads the stream of an agent on the package websockets, and writes each message down as receive.py
does.
"""

import asyncio
import base64
import os
import sys

import websockets

url, path = sys.argv[1:]
file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
os.write(file, b"\n")


async def main():
    async with websockets.connect(url) as socket:
        print("opened", flush=True)
        async for message in socket:
            os.write(file, f"{os.getpid()} text {base64.b64encode(message.encode()).decode()}\n".encode())
        print(f"closed {socket.close_code} {socket.close_reason}", flush=True)


asyncio.run(main())

#!/usr/bin/env bash
# websockets 10.4 for Python (Debian 12, python3-websockets 10.4-1), default settings: the library reads up to 32 messages
# ahead of the program, and answers Pings on its own. A Pong therefore does not show that the program has the messages
# before the Ping. If the program dies then, a sender that takes the Pong for a receipt has lost them.
#
# Input: a server whose handler takes a second for each message. A client, by hand: five messages, a Ping, wait for its
# Pong. Then the server is killed.
#
# Seen:
#   Pong after 5 messages: the program had 0 of them
#
# Needs apt-get, dpkg and Debian's Python 3. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'kill -9 "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
server=

apt-get download -qq python3-websockets=10.4-1 2>/dev/null
dpkg -x python3-websockets_10.4-1_*.deb package
export PYTHONPATH=$dir/package/usr/lib/python3/dist-packages

cat >server.py <<'PYTHON'
import asyncio, websockets

async def serve(socket):
    async for message in socket:
        await asyncio.sleep(1)  # the work that a message makes
        print(message, file=open("taken", "a"), flush=True)

async def main():
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], file=open("port", "w"), flush=True)
        await asyncio.Future()

asyncio.run(main())
PYTHON

cat >client.py <<'PYTHON'
import os, socket, sys

def frame(opcode, payload):  # masked with zeros, so that it stays as it is
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
stream = connection.makefile("rb")
while stream.readline() != b"\r\n":
    pass
connection.sendall(b"".join(frame(1, b"message %d" % n) for n in range(5)) + frame(9, b"read?"))
assert stream.read(7) == b"\x8a\x05read?", "no Pong"
PYTHON

/usr/bin/python3 server.py &
server=$!
until [ -s port ]; do sleep 0.05; done
/usr/bin/python3 client.py "$(cat port)"
kill -9 "$server"; wait "$server" 2>/dev/null || true
taken=0
[ ! -e taken ] || taken=$(wc -l <taken)
echo "Pong after 5 messages: the program had $taken of them"
[ "$taken" -eq 0 ]

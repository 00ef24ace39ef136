"""decode.py msgpack|csv FILE: prints the events that receive.py wrote down as JSON, one a line, with the modules msgpack
and csv.
"""

import base64
import csv
import io
import json
import sys

codec, path = sys.argv[1:]
for line in open(path):
    if not line.strip():
        continue
    _, kind, text = line.split()
    message = base64.b64decode(text)
    if codec == "msgpack":
        import msgpack

        assert kind == "binary", kind
        got = msgpack.unpackb(message)
        events = got if isinstance(got, list) else [got]
    else:
        assert kind == "text", kind
        events = list(csv.DictReader(io.StringIO(message.decode(), newline=""), strict=True))
    for event in events:
        print(json.dumps(event))

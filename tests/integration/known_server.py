"""A server whose latencies are known: each answer leaves so long after its request came.

python -m tests.integration.known_server PORT DELAYS.json

DELAYS.json is a list of seconds, taken one after the other and again from the start.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Known(asyncio.Protocol):
    delays = itertools.cycle([0.0])

    def connection_made(self, transport):
        self.transport, self.got = transport, b""

    def data_received(self, data):
        self.got += data
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) == length:
            self.got = b""
            asyncio.get_running_loop().call_later(next(Known.delays), self.answer)

    def answer(self):
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def main():
    server = await asyncio.get_running_loop().create_server(
        Known, "127.0.0.1", int(sys.argv[1]), backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    Known.delays = itertools.cycle(json.loads(Path(sys.argv[2]).read_text()))
    asyncio.run(main())

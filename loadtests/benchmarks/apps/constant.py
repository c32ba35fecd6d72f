"""ASGI applications that do the least: what any server on this stack pays.

uvicorn loadtests.benchmarks.apps.constant:constant      answers the same for ever
uvicorn loadtests.benchmarks.apps.constant:parsing       reads rows of JSON, answers as many zeros
"""

import numpy as np
import orjson

ANSWER = b'{"predictions":[0],"model":"iris","version":1,"revision":"iris-00001"}'


async def constant(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # ASGI
    """Read the body to its end and look at nothing."""
    if scope["type"] == "http":
        await _body(receive)
        await _answer(send, ANSWER)


async def parsing(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # ASGI
    """Parse a list of rows into one matrix, and write a number for each."""
    if scope["type"] == "http":
        rows = np.array(orjson.loads(await _body(receive)), np.float64)
        await _answer(send, orjson.dumps({"predictions": [0] * len(rows)}))


async def _body(receive) -> bytes:  # type: ignore[no-untyped-def]  # ASGI
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send, body: bytes) -> None:  # type: ignore[no-untyped-def]  # ASGI
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

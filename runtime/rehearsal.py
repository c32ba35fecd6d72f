"""One request served to ourselves, so that no caller pays for what a process does only once.

OpenSSL fetches its algorithms, numpy picks its loops, Python specialises its bytecode at the first
use of each. Done in the zygote it is done for every worker; done again in a worker that waits for
its launch, the pages it writes are that worker's own already. A fault on a page shared with the
zygote costs some microseconds, and a first answer would meet about a thousand of them.
"""

import asyncio
import base64
import contextlib
import io
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from runtime.control import send
from runtime.launch import Launch, RevisionLaunch
from runtime.loading import Phases, load_all
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.plan import signature_of
from runtime.server import Inherited, Worker

WITHIN_S: Final = 10.0
NAME: Final = "rehearsal"


def rehearse() -> None:
    """Serve one request from a socket to its answer; raises what a worker would have failed of."""
    with contextlib.ExitStack() as stack:
        key = ec.generate_private_key(ec.SECP256R1())
        plan = stack.enter_context(_in_memory(_plan()))
        keys = stack.enter_context(_in_memory(_keys(key)))
        revision = RevisionLaunch(NAME, NAME, 1, plan, "0" * 64)
        launch = Launch(NAME, NAME, NAME, NAME, keys, (revision,))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        for number in (signal.SIGINT, signal.SIGTERM):  # a loop that closes resets what it took
            stack.callback(signal.signal, number, signal.getsignal(number))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(_serve(launch, _request(key)), WITHIN_S))


async def _serve(launch: Launch, request: bytes) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener = socket.create_server(("127.0.0.1", 0))
    with ours, theirs, listener:
        client = socket.create_connection(listener.getsockname())
        adopted, _ = listener.accept()
        with client, adopted:
            client.setblocking(False)
            phases = Phases(time.monotonic())
            loaded = await load_all(launch, phases)
            worker = Worker(launch, Inherited(listener, theirs, phases, phases.since), loaded)
            serving = asyncio.create_task(worker.serve())
            send(ours, json.dumps({"t": "adopt"}).encode(), [adopted.fileno()])
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, request)
            answer = await loop.sock_recv(client, 4096)
            send(ours, json.dumps({"t": "drain"}).encode(), ())
            await serving
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the rehearsal was answered {answer!r}")


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Give a path at which the content can be opened; nothing touches the disk."""
    descriptor = os.memfd_create(NAME)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _plan() -> bytes:
    graph = {
        "op": "linear_classifier",
        "classes": {"dtype": "i8", "values": [0, 1, 2]},
        "proba": "softmax",
        "transposed": True,
        "weights": "weights",
        "intercept": "intercept",
    }
    tensors = {"weights": np.eye(4, 3), "intercept": np.zeros(3)}
    file = io.BytesIO()
    plan_format.write(
        file,
        graph=graph,
        tensors=tensors,
        signature=signature_of(build(graph, tensors), None).to_json(),
        cost={"c0_us": 10.0, "c1_us": 0.1},
        provenance={},
    )
    return file.getvalue()


def _keys(key: ec.EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_numbers()
    x, y = (_b64(number.to_bytes(32)) for number in (point.x, point.y))
    jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": NAME, "x": x, "y": y}
    return json.dumps({"keys": [jwk]}).encode()


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    now = int(time.time())  # noqa: TID251  (tokens expire by wall time)
    claims = dict.fromkeys(("iss", "aud", "sub", "client_id", "jti", "tenant"), NAME)
    times = {"iat": now, "exp": now + 60}
    head = {"alg": "ES256", "typ": "at+jwt", "kid": NAME}
    parts = [head, {**claims, **times, "scope": "predict"}]
    signed = ".".join(_b64(json.dumps(part).encode()) for part in parts)
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    token = f"{signed}.{_b64(r.to_bytes(32) + s.to_bytes(32))}"
    body = b"[[1.0, 2.0, 3.0, 4.0]]"
    lines = (
        "POST /predict HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
